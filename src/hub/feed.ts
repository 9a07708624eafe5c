import type { Logger } from "pino";
import { ServiceError } from "../error.ts";
import type { Position } from "../event/cursor.ts";
import type { Entry } from "../event/entry.ts";
import type { EventLog, Head, MarkedEntry, ReadLimit, WakeUp } from "../event-log/event-log.ts";
import { createPace } from "./pace.ts";
import type { RecentEntries } from "./recent-entries.ts";

/** How long a lost wake-up can delay an event. Milliseconds. */
const LOOK_INTERVAL = 1_000;

/** One read of the log: enough to be worth the way, little enough to leave the event loop its turn. */
const READ_LIMIT: ReadLimit = { entries: 250, bytes: 4 * 1024 * 1024 };

/** The feed's place in the log, and that place as clients see it. */
export interface FeedPosition extends Position {
  readonly cursor: string;
}

/** What the hub needs of the log. */
export type ReadableLog = Pick<EventLog, "read" | "head" | "positionOf" | "onWakeUp" | "renewEpoch">;

export interface FeedOptions {
  readonly eventLog: ReadableLog;
  readonly recentEntries: RecentEntries;
  readonly logger: Logger;
  /** Gets every entry once, in the log's order; `before` is the place that they follow. */
  readonly onEntries: (entries: readonly Entry[], before: FeedPosition) => void;
  /** The log does not go on where the feed stands: whoever stands there too has missed something. */
  readonly onGap: (error: ServiceError) => void;
  /** The events of these entries were erased: nothing of them is to be kept. */
  readonly onErased: (erased: readonly MarkedEntry[]) => void;
}

/** This process's one reader of the log. */
export interface Feed {
  /** Begins at the log's head, as soon as the log answers. */
  start(): void;
  stop(): Promise<void>;
  /** How far everything has been handed out; null until the log has first answered. */
  readonly position: FeedPosition | null;
  /** Resolves when the feed has begun. */
  begun(): Promise<void>;
  /** Resolves when the feed stands at this place, or has looked at the log since and may stand elsewhere. */
  reached(place: Position): Promise<void>;
}

export function createFeed({ eventLog, recentEntries, logger, onEntries, onGap, onErased }: FeedOptions): Feed {
  let position: FeedPosition | null = null;
  /** Entries behind `position` that were read and are handed out together with what comes in the same turn. */
  let coming: Entry[] = [];
  let pulling: Promise<void> | null = null;
  let pullAgain = false;
  /** Erased since the pull under way began: what it has read may still have them. */
  let erasedMeanwhile: MarkedEntry[] = [];
  /** Whether more may have been erased meanwhile. */
  let missedMeanwhile = false;
  let stopped = false;
  let failing = false;
  let timer: NodeJS.Timeout | undefined;
  let stopListening: () => void = () => {};
  const waiters = new Set<{ readonly number: number; readonly resolve: () => void }>();

  const settle = (reached: number): void => {
    for (const waiter of waiters) {
      if (waiter.number > reached) continue;
      waiters.delete(waiter);
      waiter.resolve();
    }
  };

  /** How far the log was read. */
  const tail = (): FeedPosition | null => coming.at(-1) ?? position;

  const take = (entries: readonly Entry[]): void => {
    coming.push(...entries);
    handingOut.soon();
  };

  const handOut = (): void => {
    const newest = coming.at(-1);
    if (newest === undefined || position === null) return;
    const before = position;
    const entries = coming;
    coming = [];
    recentEntries.push(entries);
    position = newest;
    onEntries(entries, before);
    settle(newest.number);
  };
  const handingOut = createPace(handOut);

  /** The log is another one, or has trimmed what this feed has not read: begin again at its head. */
  const beginAgain = async (known: FeedPosition, cause: ServiceError): Promise<void> => {
    // Where the epoch is still the one we knew, its history is not: no cursor of it may be taken as good again.
    if (cause.code === "CURSOR_UNKNOWN") await eventLog.renewEpoch(known.epoch);
    // Asked once more, the log tells the gap in cursors of the epoch that holds from now on.
    const told = await eventLog.read(known, { entries: 1, bytes: 1 }).then(
      () => cause,
      (error: unknown) => (error instanceof ServiceError && isGap(error) ? error : cause),
    );
    const head = await eventLog.head();
    handOut();
    logger.error({ code: told.code, from: known.number, to: head.number }, "the log does not go on where it was read");
    recentEntries.clear();
    position = head;
    onGap(told);
    settle(Number.POSITIVE_INFINITY);
  };

  const pull = async (): Promise<void> => {
    for (;;) {
      if (stopped) return;
      const before = tail() ?? (await begin());
      try {
        const { entries, head } = await eventLog.read(before, READ_LIMIT);
        take(entries);
        const newest = entries.at(-1);
        if (newest === undefined || newest.number === head.number) {
          if (waiters.size > 0) handOut();
          // Who waits for a place beyond this one has to ask the log again: it is no place of this log.
          settle(Number.POSITIVE_INFINITY);
          return;
        }
      } catch (error) {
        if (!(error instanceof ServiceError) || !isGap(error)) throw error;
        await beginAgain(before, error);
      }
    }
  };

  const begin = async (): Promise<Head> => {
    const head = await eventLog.head();
    position = head;
    settle(head.number);
    return head;
  };

  const look = (): void => {
    if (stopped) return;
    if (pulling !== null) {
      pullAgain = true;
      return;
    }
    pulling = pull()
      .then(
        () => {
          if (failing) logger.info("the log answers again");
          failing = false;
        },
        (error: unknown) => {
          // Only the first of a row is told; the periodic look goes on trying.
          if (!failing && !stopped) logger.error({ err: error }, "the log cannot be read; listeners wait");
          failing = true;
          pullAgain = false;
        },
      )
      .finally(() => {
        pulling = null;
        forget(erasedMeanwhile);
        erasedMeanwhile = [];
        if (missedMeanwhile) recentEntries.clear();
        missedMeanwhile = false;
        if (!pullAgain) return;
        pullAgain = false;
        look();
      });
  };

  const forget = (erased: readonly MarkedEntry[]): void => {
    if (erased.length === 0) return;
    recentEntries.erase(erased);
    onErased(erased);
  };

  const wake = ({ number, run, erased }: WakeUp): void => {
    if (stopped) return;
    if (erased !== undefined) {
      handOut();
      forget(erased);
      if (pulling !== null) erasedMeanwhile.push(...erased);
      return;
    }
    // Nobody heard for a while: an erasure may have been among what was told.
    if (number === undefined) {
      handOut();
      recentEntries.clear();
      missedMeanwhile = pulling !== null;
    }
    // A run that came along is as good as a read where it provably follows on what was read last. While a read
    // is under way its place is not known: the read goes again instead.
    const before = tail();
    if (pulling === null && before !== null && run !== undefined && isSame(before, run.follows)) {
      take(run.entries);
      return;
    }
    look();
  };

  const waitFor = (number: number): Promise<void> =>
    new Promise((resolve) => {
      waiters.add({ number, resolve });
      look();
    });

  return {
    start() {
      stopListening = eventLog.onWakeUp(wake);
      timer = setInterval(look, LOOK_INTERVAL);
      look();
    },
    async stop() {
      stopped = true;
      clearInterval(timer);
      stopListening();
      await pulling;
      handOut();
      settle(Number.POSITIVE_INFINITY);
    },
    get position() {
      return position;
    },
    begun: () => (position === null ? waitFor(0) : Promise.resolve()),
    // Elsewhere, further on too, the log may be another one than the feed knows: only a look finds that out, and who
    // did not wait for it would ask the log without a pause.
    reached: (place) => (position !== null && isSame(position, place) ? Promise.resolve() : waitFor(place.number)),
  };
}

function isGap(error: ServiceError): boolean {
  return error.code === "CURSOR_UNKNOWN" || error.code === "CURSOR_EXPIRED";
}

/** Whether both name the same entry of the same log. */
export function isSame(one: Position, other: Position): boolean {
  return one.number === other.number && one.tag === other.tag && one.epoch === other.epoch;
}
