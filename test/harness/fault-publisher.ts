import { setTimeout as pause } from "node:timers/promises";
import { type Post, post, rawEvent, unsignedForm } from "./mandrill-post.ts";

/** Mandrill waits minutes before it posts a batch again. Milliseconds. */
const RETRY_AFTER = 20;
const BATCH = 5;

/** Posts as Mandrill does: one batch at a time, and the same again on anything but 200. */
export interface Publisher {
  /** Message ids of what got a 200, in the order in which it was posted. */
  readonly acknowledged: readonly string[];
  /** What was answered instead of 200; null where no answer came. */
  readonly refusals: readonly (number | null)[];
  /** What the longest of these took. Milliseconds. */
  readonly longestRefusal: number;
  /** Resolves when so many more events have been acknowledged than now. */
  more(count: number): Promise<void>;
  /** Resolves when the batch under way has been acknowledged too. No other is posted. */
  stop(): Promise<void>;
  /** Posts nothing any more, the batch under way neither. */
  giveUp(): void;
}

export interface PublisherOptions {
  /** Begins every message id. */
  readonly name: string;
  /** Base URLs of the instances: each post goes to the next one, a repeated one too. */
  readonly urls: () => readonly string[];
}

/** A batch of one event for each message id. */
export function batchOf(messageIds: readonly string[]): Post {
  return unsignedForm(messageIds.map((id) => rawEvent("open", { _id: id, msg: { _id: id } })));
}

/** Posts a batch until it is acknowledged. */
export async function postUntilTaken(url: string, batch: Post): Promise<void> {
  while ((await post(url, batch)).status !== 200) await pause(RETRY_AFTER);
}

export function startPublisher({ name, urls }: PublisherOptions): Publisher {
  const acknowledged: string[] = [];
  const refusals: (number | null)[] = [];
  let waiters: { readonly count: number; readonly resolve: () => void }[] = [];
  let stopped = false;
  let givenUp = false;
  let posts = 0;
  let longestRefusal = 0;

  async function attempt(batch: Post): Promise<number | null> {
    const bases = urls();
    const base = bases[posts++ % bases.length] as string;
    const begun = performance.now();
    const status = await post(base, batch).then(
      (answer) => answer.status,
      () => null,
    );
    if (status !== 200) longestRefusal = Math.max(longestRefusal, performance.now() - begun);
    return status;
  }

  async function publish(): Promise<void> {
    for (let number = 0; !stopped; number += BATCH) {
      const ids = Array.from({ length: BATCH }, (_, i) => `${name}-${number + i}`);
      const batch = batchOf(ids);
      for (let status = await attempt(batch); status !== 200; status = await attempt(batch)) {
        if (givenUp) return;
        refusals.push(status);
        await pause(RETRY_AFTER);
      }
      acknowledged.push(...ids);
      waiters = waiters.filter(({ count, resolve }) => {
        if (acknowledged.length < count) return true;
        resolve();
        return false;
      });
    }
  }

  const done = publish();
  return {
    acknowledged,
    refusals,
    get longestRefusal() {
      return longestRefusal;
    },
    more: (count) => new Promise((resolve) => waiters.push({ count: acknowledged.length + count, resolve })),
    stop() {
      stopped = true;
      return done;
    },
    giveUp() {
      stopped = true;
      givenUp = true;
    },
  };
}
