import type { Logger } from "pino";
import type { ServiceError } from "../error.ts";
import type { Entry } from "../event/entry.ts";
import type { EventFilter } from "../event/event-filter.ts";
import { isLive, type LiveEntry } from "../event/live-entry.ts";
import type { MarkedEntry } from "../event-log/event-log.ts";
import { type CatchUpOptions, catchUp } from "./catch-up.ts";
import { createCohortIndex } from "./cohort.ts";
import { createFeed, type FeedPosition, type ReadableLog } from "./feed.ts";
import { HandOut } from "./hand-out.ts";
import { createLine } from "./line.ts";
import { createRecentEntries, type RecentEntriesOptions } from "./recent-entries.ts";
import { type Group, Run, type Sink, Subscriber } from "./subscriber.ts";

export interface HubOptions {
  readonly eventLog: ReadableLog;
  readonly recentEntries: RecentEntriesOptions;
  /** Subscribers that may read the log at the same time; the others wait in line. @default no bound */
  readonly maxReplays?: number | undefined;
  readonly watch?: HubWatch | undefined;
  /** Told of entries whose events were erased: nothing that was made of them is to be kept. */
  readonly onErased?: ((erased: readonly MarkedEntry[]) => void) | undefined;
  readonly logger: Logger;
}

/** Is told what goes on, to measure it. Must not throw. */
export interface HubWatch {
  /** Entries have been handed to all who listen; that was begun at `begunAt`, milliseconds since the epoch. */
  delivered(entries: readonly Entry[], begunAt: number): void;
  /** The log was another one, or too far on: every live subscriber is told so, and what comes next follows its head. */
  beganAgain(): void;
  /** A subscription has begun, behind the head or live. */
  began(isReplay: boolean): void;
  /** A subscription is over: by this error, or by its client where there is none. */
  ended(error: ServiceError | null): void;
}

export interface Subscription {
  readonly group: Group;
  readonly filter: EventFilter;
  /** Everything later than this cursor, then live; null: live from now on. */
  readonly after: string | null;
  readonly sink: Sink;
  /** Called once, when the subscription is over, whoever ended it. */
  readonly onEnd?: ((subscriber: Subscriber) => void) | undefined;
}

/** Hands every entry of the log to those who want it. */
export interface Hub {
  start(): void;
  /** Stops reading; subscribers stay until their transports end them. */
  stop(): Promise<void>;
  /**
   * Registers a subscriber. Without `after` it is live when this returns, from the feed's position on (or from where
   * the feed begins, once the log answers). `close()` it when its client goes.
   */
  subscribe(subscription: Subscription): Subscriber;
  /** The feed's position as a cursor, the log's head as this process knows it; null until the log has answered. */
  readonly head: string | null;
  /** Resolves when `head` is known. */
  begun(): Promise<void>;
  /**
   * An append of this process has been acknowledged up to entry `number`: who subscribes from now on without `after`
   * asks for later ones only, even where the feed has yet to read these.
   */
  acknowledged(number: number): void;
  /** Cursor up to which `subscriber` has been served, matching events or not; null while nothing is known. */
  servedTo(subscriber: Subscriber): string | null;
  /** Number of the entry up to which all has been handed out; null until the log has answered. */
  readonly number: number | null;
  /** Running subscriptions, those that catch up included. */
  readonly size: number;
  /** Those that catch up. */
  readonly replaying: number;
}

export function createHub(options: HubOptions): Hub {
  const { eventLog, recentEntries: limits, maxReplays, watch, onErased = () => {}, logger } = options;
  const recentEntries = createRecentEntries(limits);
  const live = createCohortIndex();
  const catchingUp = new Set<Subscriber>();
  let acknowledgedTo = 0;

  const onEntries = (entries: readonly Entry[], before: FeedPosition): void => {
    const begunAt = Date.now();
    const runs = new Map<Group, Run>();
    // What nobody listens for is not even decoded.
    const all = live.size === 0 ? [] : live.wanted(entries.filter(isLive));
    const handOut = new HandOut(before);
    for (const { cohort, entries: wanted } of all) {
      const { group, members } = cohort;
      // Cohorts of one group often want the same entries, by other filters: what is derived from them is shared.
      const last = runs.get(group);
      const run = last !== undefined && isSameRun(last.entries, wanted) ? last : new Run(group, wanted, "live");
      runs.set(group, run);
      for (const subscriber of members) handOut.add(subscriber, run);
    }
    handOut.flush();
    watch?.delivered(entries, begunAt);
    // Many are kept for those who come back, and few of these are asked for.
    for (const entry of entries) entry.release();
  };

  const onGap = (error: ServiceError): void => {
    acknowledgedTo = 0;
    watch?.beganAgain();
    for (const subscriber of [...live.subscribers()]) subscriber.end(error);
  };

  const feed = createFeed({ eventLog, recentEntries, logger, onEntries, onGap, onErased });

  const join = (subscriber: Subscriber): void => {
    catchingUp.delete(subscriber);
    subscriber.servedTo = null;
    live.join(subscriber);
    subscriber.sink.caughtUp?.();
  };

  const leave = (subscriber: Subscriber, error: ServiceError | null): void => {
    if (!catchingUp.delete(subscriber)) live.leave(subscriber);
    watch?.ended(error);
  };

  const readers = createLine(maxReplays ?? Number.POSITIVE_INFINITY);
  const catchUpOptions: CatchUpOptions = { eventLog, readers, feed, recentEntries, join };

  return {
    start: () => feed.start(),
    stop: () => feed.stop(),
    subscribe({ group, filter, after, sink, onEnd }) {
      // Who brings a place wants what follows it, acknowledged or not.
      const isAhead = after === null && acknowledgedTo > (feed.position?.number ?? 0);
      const liveFrom = isAhead ? acknowledgedTo + 1 : 0;
      const subscriber = new Subscriber({ group, filter, sink, after, liveFrom, leave, onEnd });
      watch?.began(after !== null);
      if (after === null) {
        live.join(subscriber);
      } else {
        catchingUp.add(subscriber);
        void catchUp(subscriber, after, catchUpOptions);
      }
      return subscriber;
    },
    get head() {
      return feed.position?.cursor ?? null;
    },
    begun: () => feed.begun(),
    acknowledged(number) {
      acknowledgedTo = Math.max(acknowledgedTo, number);
    },
    servedTo: (subscriber) => subscriber.servedTo ?? feed.position?.cursor ?? null,
    get number() {
      return feed.position?.number ?? null;
    },
    get size() {
      return live.size + catchingUp.size;
    },
    get replaying() {
      return catchingUp.size;
    },
  };
}

function isSameRun(one: readonly LiveEntry[], other: readonly LiveEntry[]): boolean {
  return one === other || (one.length === other.length && one.every((entry, index) => entry === other[index]));
}
