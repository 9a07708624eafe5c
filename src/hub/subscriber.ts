import { ServiceError } from "../error.ts";
import type { EventFilter } from "../event/event-filter.ts";
import type { LiveEntry } from "../event/live-entry.ts";

/**
 * - `live`: the newest, handed in this turn of the event loop to all who want them, and nothing follows in it.
 * - `recent`: among the newest, for one who comes back; others may soon come back too.
 * - `older`: of a long replay.
 */
export type RunKind = "live" | "recent" | "older";

/** Subscribers that share an execution. The hub only knows it apart from others; transports encode with it. */
export interface Group {
  /**
   * The JSON text of each entry's result, UTF-8: the same bytes for everyone in the group.
   * @param kind of the run that they are for: it tells how long they are worth keeping
   */
  encode(entries: readonly LiveEntry[], kind: RunKind): readonly Buffer[];
}

/** Entries for equal subscribers, in the log's order, and what transports derive from them once for all. */
export class Run {
  readonly group: Group;
  readonly entries: readonly LiveEntry[];
  readonly kind: RunKind;
  /** What was derived first, by itself: mostly there is no more, and a map for each run would cost more than the run. */
  #first: { readonly key: unknown; readonly value: unknown } | null = null;
  #others: Map<unknown, unknown> | null = null;

  constructor(group: Group, entries: readonly LiveEntry[], kind: RunKind) {
    this.group = group;
    this.entries = entries;
    this.kind = kind;
  }

  /** What `make` makes of this run, made once a `key`. */
  derive<T>(key: unknown, make: (run: Run) => T): T {
    const first = this.#first;
    if (first !== null && first.key === key) return first.value as T;
    let value = this.#others?.get(key) as T | undefined;
    if (value !== undefined) return value;
    value = make(this);
    if (first === null) this.#first = { key, value };
    else {
      this.#others ??= new Map();
      this.#others.set(key, value);
    }
    return value;
  }
}

/** Where a subscriber's entries go: a transport's end, bounded. */
export interface Sink {
  /**
   * Takes the run's entries from index `from` on, as many as its bound admits and in order; an empty sink takes at
   * least one. Returns the index of the first that it did not take.
   */
  offer(run: Run, from: number): number;
  /** Whether its peer may still take anything: what comes meanwhile is not offered. */
  readonly isOpen: boolean;
  /** Whether a replay should go on writing. */
  readonly hasRoom: boolean;
  /**
   * Resolves when the sink has taken more of what it was given, at once where nothing waits; never where it is torn
   * down. Whoever was refused and waits for it again and again gets in.
   */
  drained(): Promise<void>;
  /** All that was there behind the cursor `after` has been offered: what is offered from now on is new. */
  caughtUp?(): void;
  /** The subscription is over, by this error. Nothing is offered after it. */
  end(error: ServiceError): void;
}

export interface SubscriberOptions {
  readonly group: Group;
  readonly filter: EventFilter;
  readonly sink: Sink;
  readonly after: string | null;
  readonly liveFrom: number;
  /** Takes it out of the hub; `error` is what it was ended by, null where its client or its connection ended it. */
  readonly leave: (subscriber: Subscriber, error: ServiceError | null) => void;
  readonly onEnd?: ((subscriber: Subscriber) => void) | undefined;
}

/** One running eventReceived. Thousands are kept, so what it calls is shared: nothing is bound to one of them. */
export class Subscriber {
  readonly group: Group;
  filter: EventFilter;
  readonly sink: Sink;
  /** Number of the first entry that a subscriber without `after` may get; 0 where any that comes will do. */
  readonly liveFrom: number;
  /** Both called once, by whatever the subscription ends. */
  readonly #leave: SubscriberOptions["leave"];
  readonly #onEnd: ((subscriber: Subscriber) => void) | undefined;
  #servedTo: string | null;
  #ended = false;

  constructor({ group, filter, sink, after, liveFrom, leave, onEnd }: SubscriberOptions) {
    this.group = group;
    this.filter = filter;
    this.sink = sink;
    this.liveFrom = liveFrom;
    this.#servedTo = after;
    this.#leave = leave;
    this.#onEnd = onEnd;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /**
   * While it catches up: the cursor up to which it has been served. null once it is live, where the feed's own
   * position holds for it.
   */
  get servedTo(): string | null {
    return this.#servedTo;
  }

  set servedTo(cursor: string | null) {
    this.#servedTo = cursor;
  }

  /** Ends the subscription and tells its client why. */
  end(error: ServiceError): void {
    if (this.#ended) return;
    this.#close(error);
    this.sink.end(error);
  }

  /** Ends the subscription from the client's side: nothing is told. */
  close(): void {
    if (!this.#ended) this.#close(null);
  }

  #close(error: ServiceError | null): void {
    this.#ended = true;
    this.#leave(this, error);
    this.#onEnd?.(this);
  }
}

/** The client read too slowly; `after` is the cursor from which it goes on. */
export function subscriberLagged(after: string | null): ServiceError {
  return new ServiceError(
    "SUBSCRIBER_LAGGED",
    "This subscriber read too slowly, so its stream has ended. Subscribe again with this `after`: nothing is lost.",
    { after },
  );
}
