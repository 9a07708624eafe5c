import type { Client, CombinedError } from "urql";
import {
  EventReceivedDocument,
  type EventRowFragment,
  NewestEventDocument,
  RecentEventsDocument,
} from "../generated/graphql.ts";
import { type Cell, createCell } from "./cell.ts";
import { EMPTY_LIST, type EventList, MOST_ROWS, released, withArrived, withOlder } from "./event-list.ts";
import { codeOf, sentenceOf } from "./service-client.ts";
import type { Filter } from "./view-link.ts";

/** Rows that are fetched at once: more than a screen. */
const PAGE = 100;
/** Between two looks of the list while events come one after the other: calm to the eye. Milliseconds. */
const CALM = 100;
/** How long a former filter's rows may stand until the new one's are there: most often there is no blink. Milliseconds. */
const PATIENCE = 300;
/** Between two attempts where the service does not answer. Milliseconds. */
const RETRY = 2_000;

export type FeedState =
  | { readonly kind: "loading" }
  | { readonly kind: "ready" }
  /** Tried again by itself where `retrying`. */
  | { readonly kind: "failed"; readonly reason: string; readonly retrying: boolean };

/** Why the list had to be loaded anew: events may be missing from what was seen so far. */
export interface Gap {
  readonly code: "CURSOR_EXPIRED" | "CURSOR_UNKNOWN";
  readonly at: number;
}

/** The events that match the filter: some of the past, and each new one. */
export interface EventFeed {
  readonly list: Pick<Cell<EventList>, "get" | "subscribe">;
  readonly state: Pick<Cell<FeedState>, "get" | "subscribe">;
  readonly gap: Cell<Gap | null>;
  /** Loads the newest, and then follows. */
  show(filter: Filter): void;
  /** While held, what arrives waits, so that rows stay where they are. */
  hold(isHeld: boolean): void;
  loadOlder(): void;
  /** Calls `listener` with every event that arrives, until the returned function is called. */
  onArrival(listener: (event: EventRowFragment) => void): () => void;
  /** Has the newest event that matches been shown? Then `listener` is called with how many came until then. */
  whenCaughtUp(listener: (arrived: number) => void): void;
}

export function createEventFeed(client: Client): EventFeed {
  const list = createCell<EventList>(EMPTY_LIST);
  const state = createCell<FeedState>({ kind: "loading" });
  const gap = createCell<Gap | null>(null);
  const listeners = new Set<(event: EventRowFragment) => void>();
  let filter: Filter | undefined;
  /** Of the newest `show`: what belongs to an older one is dropped. */
  let generation = 0;
  let stop = (): void => {};
  let known = new Set<string>();
  let isHeld = false;
  let arrived: EventRowFragment[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  let flushedAt = 0;
  let isLoadingOlder = false;
  let arrivals = 0;
  let awaited: { readonly id: string; readonly from: number; readonly tell: (arrived: number) => void } | undefined;

  const flush = (): void => {
    timer = undefined;
    flushedAt = performance.now();
    const batch = arrived.reverse();
    arrived = [];
    list.set(withArrived(list.get(), batch, isHeld));
    const { rows, held } = list.get();
    if (known.size > 2 * (rows.length + held.length + MOST_ROWS)) known = idsOf(list.get());
  };

  const take = (event: EventRowFragment): void => {
    arrivals += 1;
    if (known.has(event.id)) return;
    known.add(event.id);
    arrived.push(event);
    timer ??= setTimeout(flush, Math.max(0, flushedAt + CALM - performance.now()));
    for (const listener of listeners) listener(event);
    if (awaited?.id === event.id) settle();
  };

  const settle = (): void => {
    awaited?.tell(arrivals - awaited.from);
    awaited = undefined;
  };

  const fail = (error: CombinedError, mine: number): void => {
    const code = codeOf(error);
    if (code === "CURSOR_EXPIRED" || code === "CURSOR_UNKNOWN") {
      gap.set({ code, at: Date.now() });
      load();
      return;
    }
    // Without a token it begins again once there is one.
    const retrying =
      code !== "UNAUTHENTICATED" && (error.networkError !== undefined || error.graphQLErrors.some(isPassing));
    state.set({ kind: "failed", reason: sentenceOf(error), retrying });
    if (!retrying) return;
    setTimeout(() => {
      if (generation === mine) load();
    }, RETRY);
  };

  const follow = (after: string, mine: number): void => {
    const { unsubscribe } = client
      .subscription(EventReceivedDocument, { ...variablesOf(filter), after })
      .subscribe(({ data, error }) => {
        if (generation !== mine) return;
        if (data?.eventReceived) take(data.eventReceived);
        if (error) fail(error, mine);
      });
    stop = unsubscribe;
  };

  const load = (): void => {
    generation += 1;
    const mine = generation;
    stop();
    stop = () => {};
    clearTimeout(timer);
    timer = undefined;
    arrived = [];
    void client
      .query(RecentEventsDocument, { ...variablesOf(filter), first: PAGE })
      .toPromise()
      .then(({ data, error }) => {
        if (generation !== mine) return;
        if (data === undefined) {
          if (error) fail(error, mine);
          return;
        }
        const { nodes, pageInfo, head } = data.recentEvents;
        list.set({ rows: nodes, held: [], hasOlder: pageInfo.hasNextPage });
        known = idsOf(list.get());
        state.set({ kind: "ready" });
        if (awaited !== undefined) settle();
        follow(head, mine);
      });
  };

  return {
    list,
    state,
    gap,
    show(next) {
      filter = next;
      awaited = undefined;
      state.set({ kind: "loading" });
      load();
      const mine = generation;
      setTimeout(() => {
        if (generation === mine && state.get().kind !== "ready") list.set(EMPTY_LIST);
      }, PATIENCE);
    },
    hold(next) {
      isHeld = next;
      if (!next) list.set(released(list.get()));
    },
    loadOlder() {
      const { rows, hasOlder } = list.get();
      const last = rows.at(-1);
      if (isLoadingOlder || !hasOlder || last === undefined) return;
      isLoadingOlder = true;
      const mine = generation;
      void client
        .query(RecentEventsDocument, { ...variablesOf(filter), first: PAGE, after: last.cursor })
        .toPromise()
        .then(({ data }) => {
          isLoadingOlder = false;
          // Where live rows have pushed the last one out meanwhile, this page no longer follows it.
          if (generation !== mine || data === undefined || list.get().rows.at(-1)?.id !== last.id) return;
          const { nodes, pageInfo } = data.recentEvents;
          const older = nodes.filter(({ id }) => !known.has(id));
          for (const { id } of older) known.add(id);
          list.set(withOlder(list.get(), older, pageInfo.hasNextPage));
        });
    },
    onArrival(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    whenCaughtUp(tell) {
      const from = arrivals;
      const mine = generation;
      const ask = async (): Promise<void> => {
        const { data } = await client.query(NewestEventDocument, variablesOf(filter)).toPromise();
        if (generation !== mine) return;
        const id = data?.recentEvents.nodes[0]?.id;
        if (data === undefined) setTimeout(() => void ask(), RETRY);
        else if (id === undefined || known.has(id)) tell(arrivals - from);
        else awaited = { id, from, tell };
      };
      void ask();
    },
  };
}

function variablesOf(filter: Filter | undefined) {
  return {
    types: filter && filter.types.length > 0 ? filter.types : null,
    email: filter?.email || null,
    tag: filter?.tag || null,
  };
}

function idsOf({ rows, held }: EventList): Set<string> {
  return new Set([...held, ...rows].map(({ id }) => id));
}

const PASSING = new Set<unknown>(["LOG_UNAVAILABLE", "SHUTTING_DOWN", "INTERNAL", "LIMIT_EXCEEDED"]);

function isPassing({ extensions }: { readonly extensions: { readonly code?: unknown } }): boolean {
  return PASSING.has(extensions.code);
}
