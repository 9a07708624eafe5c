import type { Hub } from "../hub/hub.ts";

/**
 * Those who were let in before the event log has ever answered: they are acknowledged with its head, so they wait for
 * it. Nothing is kept of one that is let go: others come and go for as long as the log stays away.
 */
export class HeadWait<Waiter extends object> {
  readonly #hub: Pick<Hub, "head" | "begun">;
  readonly #waiting = new Map<Waiter, (isKnown: boolean) => void>();
  #begun: Promise<void> | undefined;

  constructor(hub: Pick<Hub, "head" | "begun">) {
    this.#hub = hub;
  }

  /** Resolves to true once the head is known, and to false where the waiter is let go before. */
  wait(waiter: Waiter): Promise<boolean> {
    if (this.#hub.head !== null) return Promise.resolve(true);
    this.#begun ??= this.#hub.begun().then(() => this.#settleAll());
    return new Promise((resolve) => this.#waiting.set(waiter, resolve));
  }

  letGo(waiter: Waiter): void {
    this.#waiting.get(waiter)?.(false);
    this.#waiting.delete(waiter);
  }

  #settleAll(): void {
    for (const resolve of this.#waiting.values()) resolve(this.#hub.head !== null);
    this.#waiting.clear();
  }
}
