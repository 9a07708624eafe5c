import type { Logger } from "pino";
import type { ServiceError } from "../error.ts";
import type { Entry } from "../event/entry.ts";
import type { EventFilter } from "../event/event-filter.ts";
import { isLive, type LiveEntry } from "../event/live-entry.ts";
import { type CatchUpOptions, catchUp } from "./catch-up.ts";
import { type Cohort, type CohortIndex, createCohortIndex } from "./cohort.ts";
import { createFeed, type FeedPosition, type ReadableLog } from "./feed.ts";
import { createRecentEntries, type RecentEntriesOptions } from "./recent-entries.ts";
import { type Group, Run, type Sink, Subscriber, subscriberLagged } from "./subscriber.ts";

export interface HubOptions {
  readonly eventLog: ReadableLog;
  readonly recentEntries: RecentEntriesOptions;
  readonly logger: Logger;
}

export interface Subscription {
  readonly group: Group;
  readonly filter: EventFilter;
  /** Everything later than this cursor, then live; null: live from now on. */
  readonly after: string | null;
  readonly sink: Sink;
  /** Called once, when the subscription is over, whoever ended it. */
  readonly onEnd?: (() => void) | undefined;
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
  /** Running subscriptions, those that catch up included. */
  readonly size: number;
}

export function createHub({ eventLog, recentEntries: limits, logger }: HubOptions): Hub {
  const recentEntries = createRecentEntries(limits);
  const live = createCohortIndex();
  const catchingUp = new Set<Subscriber>();
  let acknowledgedTo = 0;

  const onEntries = (entries: readonly Entry[], before: FeedPosition): void => {
    const runs = new Map<Group, Run>();
    for (const [{ group, members }, wanted] of wantedBy(live, entries)) {
      // Cohorts of one group often want the same entries, by other filters: what is derived from them is shared.
      const last = runs.get(group);
      const run = last !== undefined && isSameRun(last.entries, wanted) ? last : new Run(group, wanted, true);
      runs.set(group, run);
      for (const subscriber of members) {
        const from = subscriber.liveFrom === 0 ? 0 : firstFrom(wanted, subscriber.liveFrom);
        const taken = from < wanted.length ? subscriber.sink.offer(run, from) : from;
        if (taken < wanted.length) subscriber.end(subscriberLagged(wanted[taken - 1]?.cursor ?? before.cursor));
      }
    }
  };

  const onGap = (error: ServiceError): void => {
    acknowledgedTo = 0;
    for (const subscriber of [...live.subscribers()]) subscriber.end(error);
  };

  const feed = createFeed({ eventLog, recentEntries, logger, onEntries, onGap });

  const join = (subscriber: Subscriber): void => {
    catchingUp.delete(subscriber);
    subscriber.servedTo = null;
    live.join(subscriber);
  };

  const leave = (subscriber: Subscriber): void => {
    if (!catchingUp.delete(subscriber)) live.leave(subscriber);
  };

  const catchUpOptions: CatchUpOptions = { eventLog, feed, recentEntries, join };

  return {
    start: () => feed.start(),
    stop: () => feed.stop(),
    subscribe({ group, filter, after, sink, onEnd }) {
      // Who brings a place wants what follows it, acknowledged or not.
      const isAhead = after === null && acknowledgedTo > (feed.position?.number ?? 0);
      const liveFrom = isAhead ? acknowledgedTo + 1 : 0;
      const ended = (left: Subscriber): void => {
        leave(left);
        onEnd?.();
      };
      const subscriber = new Subscriber({ group, filter, sink, after, liveFrom, onEnd: ended });
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
    get size() {
      return live.size + catchingUp.size;
    },
  };
}

/** The entries that each cohort wants, in the log's order. */
function wantedBy(live: CohortIndex, entries: readonly Entry[]): ReadonlyMap<Cohort, readonly LiveEntry[]> {
  const wanted = new Map<Cohort, LiveEntry[]>();
  // What nobody listens for is not even decoded.
  if (live.size === 0) return wanted;
  for (const entry of entries) {
    if (!isLive(entry)) continue;
    for (const cohort of live.matching(entry)) {
      const run = wanted.get(cohort);
      if (run === undefined) wanted.set(cohort, [entry]);
      else run.push(entry);
    }
  }
  return wanted;
}

function isSameRun(one: readonly LiveEntry[], other: readonly LiveEntry[]): boolean {
  return one.length === other.length && one.every((entry, index) => entry === other[index]);
}

/** Index of the first entry of this number or a later one. */
function firstFrom(entries: readonly LiveEntry[], number: number): number {
  const index = entries.findIndex((entry) => entry.number >= number);
  return index === -1 ? entries.length : index;
}
