import { setTimeout as pause } from "node:timers/promises";
import type { EventStream } from "./event-stream.ts";
import type { RawEvent } from "./message.ts";
import type { Posting } from "./posting.ts";
import { batchRequest, type SignedFor } from "./signed-batch.ts";

/** What has been done so far. */
export interface Tally {
  /** Distinct events, and the batches that they went in. */
  readonly events: number;
  readonly batches: number;
  /** Batches posted again although they had been answered 200. */
  readonly repeated: number;
  /** Events answered 200, those of repeated batches again. */
  readonly acknowledged: number;
  /** Of these, as the service counted; null once it has not told. */
  readonly duplicates: number | null;
  /** Events of the batch that was given up, or stopped. */
  readonly lost: number;
}

export interface SimulationOptions {
  readonly stream: EventStream;
  readonly posting: Posting;
  readonly signedFor: SignedFor | null;
  /** Events a second. */
  readonly rate: number;
  /** Distinct events in all; Infinity goes on until the signal. */
  readonly count: number;
  /** Share of the events, 0 to 1, that is posted a second time, in whole batches. */
  readonly duplicates: number;
  readonly onProgress: (tally: Tally) => void;
  readonly signal: AbortSignal;
}

/** Events of one POST at the most, as with Mandrill. */
const BATCH_EVENTS = 1_000;
/** Milliseconds between POSTs where no backlog waits: Mandrill's are a minute apart, which nobody would watch. */
const POST_INTERVAL = 250;
/** Events of a batch that is posted twice at the least: below it duplicates are saved up. */
const LEAST_REPEATED = 5;

/**
 * Posts events as they come about, `rate` a second, one batch at a time: while one is refused, what comes about
 * waits behind it. Ends with the count, the signal, or a batch that is given up, since the others would fare no better.
 * Never rejects.
 */
export async function simulate(options: SimulationOptions): Promise<Tally> {
  const { stream, posting, signedFor, rate, count, duplicates, onProgress, signal } = options;
  const startedAt = Date.now();
  const occurredAt = (event: number): number => startedAt + (event / rate) * 1_000;
  let tally: Tally = { events: 0, batches: 0, repeated: 0, acknowledged: 0, duplicates: 0, lost: 0 };
  /** Events that are still to be posted again, by the share of duplicates; below 0 where it is ahead of it. */
  let owed = 0;

  /** How many of the events that are due go into the next batch, and whether that is posted twice. */
  function nextBatch(due: number): { readonly size: number; readonly isRepeated: boolean } {
    const size = Math.min(due, BATCH_EVENTS);
    // Of a large batch a part is taken that is as large as what is to come again: the whole would be too much.
    const share = Math.min(Math.floor(owed + size * duplicates), size);
    if (share > 0 && (share === size || share >= LEAST_REPEATED)) return { size: share, isRepeated: true };
    return { size, isRepeated: false };
  }

  async function postBatch(events: readonly RawEvent[], isRepeated: boolean): Promise<void> {
    const size = events.length;
    const request = batchRequest(events, signedFor);
    owed += size * duplicates - (isRepeated ? size : 0);
    tally = { ...tally, events: tally.events + size, batches: tally.batches + 1 };
    for (let time = isRepeated ? 2 : 1; time > 0; time -= 1) {
      const receipt = await posting.post(request);
      if (receipt === null) {
        tally = { ...tally, lost: size };
        return;
      }
      const isTold = tally.duplicates !== null && receipt.duplicates !== null;
      tally = {
        ...tally,
        acknowledged: tally.acknowledged + size,
        duplicates: isTold ? (tally.duplicates as number) + (receipt.duplicates as number) : null,
      };
    }
    if (isRepeated) tally = { ...tally, repeated: tally.repeated + 1 };
  }

  while (tally.events < count && tally.lost === 0 && !signal.aborted) {
    const now = Date.now();
    const due = Math.min(count, Math.floor(((now - startedAt) * rate) / 1_000) + 1) - tally.events;
    const { size, isRepeated } = nextBatch(due);
    if (size > 0) {
      const first = tally.events;
      const events = Array.from({ length: size }, (_, i) => stream.next(occurredAt(first + i)));
      await postBatch(events, isRepeated);
      onProgress(tally);
    }
    if (tally.events === count || tally.lost > 0 || size < due) continue;
    const next = Math.max(now + POST_INTERVAL, occurredAt(tally.events));
    await pause(Math.max(0, next - Date.now()), undefined, { signal }).catch(() => {});
  }
  return tally;
}
