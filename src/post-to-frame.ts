import type { AppendedBatch } from "./mandrill/webhook.ts";

/** Batches waited for at the most: minutes of Mandrill's largest senders, in about a megabyte. */
export const PENDING_LIMIT = 10_000;
/** Deliveries remembered for batches whose append is answered after it, which is in the same moment or never. */
export const DELIVERIES_REMEMBERED = 100;

/** Takes the time from a POST's arrival at this instance until its events were handed to all who listen here. */
export interface PostToFrame {
  /** A batch was appended while the feed stood at entry `reached`; null where it has not begun. */
  appended(batch: AppendedBatch, reached: number | null): void;
  /** The entries of these numbers, first and last, have just been handed out. */
  delivered(first: number, last: number): void;
  /** The feed has begun anew elsewhere: what it has not handed out until now it never will. */
  beganAgain(): void;
}

interface Delivery {
  readonly first: number;
  readonly last: number;
  readonly at: number;
}

/**
 * What cannot be known is left out: a batch that the feed began behind, or one more than `PENDING_LIMIT`.
 *
 * @param observe is given each time once, in milliseconds
 * @param now of the clock that `arrivedAt` is of. Default: performance.now
 */
export function createPostToFrame(
  observe: (milliseconds: number) => void,
  now: () => number = () => performance.now(),
): PostToFrame {
  /** In the order of the appends, which is that of their numbers. */
  let pending: AppendedBatch[] = [];
  /** The latest, oldest first. */
  let deliveries: Delivery[] = [];

  return {
    appended(batch, reached) {
      if (batch.appended === 0 || reached === null) return;
      if (batch.head > reached) {
        if (pending.length < PENDING_LIMIT) pending.push(batch);
        return;
      }
      const by = deliveries.find(({ first, last }) => first <= batch.head && batch.head <= last);
      // One from before the POST handed out an entry of another log, of which the feed has yet to learn that it is gone.
      if (by !== undefined && by.at >= batch.arrivedAt) observe(by.at - batch.arrivedAt);
    },
    delivered(first, last) {
      const at = now();
      deliveries.push({ first, last, at });
      if (deliveries.length > DELIVERIES_REMEMBERED) deliveries.shift();
      let settled = 0;
      for (const { head, arrivedAt } of pending) {
        if (head > last) break;
        settled++;
        observe(at - arrivedAt);
      }
      if (settled > 0) pending.splice(0, settled);
    },
    beganAgain() {
      pending = [];
      deliveries = [];
    },
  };
}
