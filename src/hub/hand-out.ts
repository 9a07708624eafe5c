import type { LiveEntry } from "../event/live-entry.ts";
import type { FeedPosition } from "./feed.ts";
import { type Run, type Subscriber, subscriberLagged } from "./subscriber.ts";

/** Subscribers that are looked at before the first of them is offered anything. */
const AT_ONCE = 16;

/**
 * Offers runs, in the order in which they are added, as what comes next after `before`; whoever has no room has lagged.
 *
 * Some subscribers are looked at before any of them is written to. Each is found through objects that lie far apart and
 * were last touched an event ago, and a write to a socket takes the processor's whole attention: looked at one after
 * the other, without a write between, they are fetched from memory at the same time instead of one by one.
 */
export class HandOut {
  readonly #before: FeedPosition;
  readonly #subscribers: Subscriber[] = [];
  readonly #runs: Run[] = [];

  constructor(before: FeedPosition) {
    this.#before = before;
  }

  add(subscriber: Subscriber, run: Run): void {
    if (!subscriber.sink.isOpen) return;
    this.#subscribers.push(subscriber);
    if (this.#runs.push(run) === AT_ONCE) this.flush();
  }

  /** Offers what was added last: to be called behind the last {@link add}. */
  flush(): void {
    for (const [index, subscriber] of this.#subscribers.entries()) {
      // The end of one before it may have been its own.
      if (!subscriber.ended) offer(subscriber, this.#runs[index] as Run, this.#before);
    }
    this.#subscribers.length = 0;
    this.#runs.length = 0;
  }
}

function offer(subscriber: Subscriber, run: Run, before: FeedPosition): void {
  const { entries } = run;
  const from = subscriber.liveFrom === 0 ? 0 : firstFrom(entries, subscriber.liveFrom);
  const taken = from < entries.length ? subscriber.sink.offer(run, from) : from;
  if (taken < entries.length) subscriber.end(subscriberLagged(entries[taken - 1]?.cursor ?? before.cursor));
}

/** Index of the first entry of this number or a later one. */
function firstFrom(entries: readonly LiveEntry[], number: number): number {
  const index = entries.findIndex((entry) => entry.number >= number);
  return index === -1 ? entries.length : index;
}
