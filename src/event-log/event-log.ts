import type { Position } from "../event/cursor.ts";
import type { Entry } from "../event/entry.ts";
import type { Event } from "../event/event.ts";
import type { EventFilter } from "../event/event-filter.ts";
import type { EventType } from "../event/event-type.ts";
import type { WebhookRequest } from "../event/webhook-request.ts";

/** How much a log keeps, and for how long it knows an event again. */
export interface LogLimits {
  /** Entries kept at the most. The newest entry is never trimmed. */
  readonly retentionEvents: number;
  /** Milliseconds of the log's clock for which an entry is kept at the most. */
  readonly retentionMs: number;
  /** An event sent again is known for so many milliseconds and so many later events, whichever is reached first. */
  readonly deduplicationMs: number;
  readonly deduplicationEvents: number;
}

/** What the log reaches from and to, in one snapshot. */
export interface Head extends Position {
  /** The position as a cursor. */
  readonly cursor: string;
  /** Number of the oldest entry held; `number + 1` while the log is empty. */
  readonly oldest: number;
}

export interface AppendResult {
  readonly appended: number;
  readonly duplicates: number;
  /** The log's newest number after this append: at least that of every event of the batch that was appended now. */
  readonly head: number;
}

/** A run of entries without a hole, oldest first. */
export interface Chunk {
  readonly entries: readonly Entry[];
  readonly head: Head;
}

export interface ReadLimit {
  /** Entries at the most. */
  readonly entries: number;
  /** Bytes of stored events at the most, about; one entry always goes through. */
  readonly bytes: number;
}

/** An entry by its number; its tag tells it from any other of that number, of whatever epoch. */
export type MarkedEntry = Pick<Position, "number" | "tag">;

/** What is known when the log has grown, or may have; or, with `erased`, when events were taken out of it. */
export interface WakeUp {
  /**
   * How far the log reaches; undefined where only a look tells (a connection came back). What was erased meanwhile is
   * not told then.
   */
  readonly number?: number | undefined;
  /** The entries themselves, oldest first, where they came along, and the position that they follow. */
  readonly run?: { readonly follows: Position; readonly entries: readonly Entry[] } | undefined;
  /** Entries whose events were erased just now: whoever keeps them is to forget them. It comes alone. */
  readonly erased?: readonly MarkedEntry[] | undefined;
}

export interface FindQuery {
  readonly filter: EventFilter;
  readonly order: "newest-first" | "oldest-first";
  /** Entries at the most. */
  readonly limit: number;
  /** Goes on behind this position, in `order`. */
  readonly from?: Position | undefined;
  /** Only entries later than this one. */
  readonly since?: Position | undefined;
}

export interface FindPage {
  readonly entries: readonly Entry[];
  /** Whether more may follow: true also where the look stopped after {@link EXAMINE_LIMIT} entries. */
  readonly hasMore: boolean;
  /** Cursor from which the next page goes on; null where nothing was looked at. */
  readonly end: string | null;
  readonly head: Head;
}

export interface CountQuery {
  /** Span of receivedAt, milliseconds: `from` inclusive, `to` exclusive. */
  readonly from: number;
  readonly to: number;
  /** Equal parts of the span. */
  readonly buckets: number;
  readonly filter: EventFilter;
}

/** Events of one type in one bucket. Buckets and types without events are left out. */
export interface CountRow {
  readonly bucket: number;
  readonly type: EventType;
  readonly count: number;
}

/** The tokens that no longer hold, as the list of them was at one moment. */
export interface RevokedTokens {
  /** Equal for equal lists: whoever hands it in again is spared a list that it knows. */
  readonly revision: string;
  readonly tokenIds: readonly string[];
}

/** Entries that one page examines at the most before it returns what it has: two common filters may never meet. */
export const EXAMINE_LIMIT = 10_000;
/** Index entries that one count reads at the most; beyond it LIMIT_EXCEEDED. */
export const COUNT_LIMIT = 100_000;
/** Webhook requests that are remembered, over all instances. */
export const WEBHOOK_REQUESTS_KEPT = 500;

/**
 * The truth about what was received. Every implementation keeps this contract, and test/contract runs it on each.
 *
 * Every method rejects with LOG_UNAVAILABLE, within `COMMAND_TIMEOUT` (5 s), where the store cannot be reached or
 * cannot do it; nothing waits for a store to come back. A log may be opened while its store is down.
 */
export interface EventLog {
  readonly kind: "sqlite" | "redis";

  /**
   * Appends in the given order, as one atomic act: leave out what the deduplication window knows, number the rest
   * densely, index, trim what is over the limits' count, and wake the listeners up. When it resolves, all of the
   * batch is durable. When it rejects, the batch may still have been appended: append it again, and the window
   * counts what was there as duplicates.
   */
  append(events: readonly Event[]): Promise<AppendResult>;

  /**
   * The entries that follow `position`, oldest first, of one snapshot. Reads the entry at `position` too and
   * compares its tag. Rejects with CURSOR_UNKNOWN where the epoch is another, the entry bears another tag or the
   * number lies beyond the head, and with CURSOR_EXPIRED where the number is below the oldest.
   */
  read(position: Position, limit: ReadLimit): Promise<Chunk>;

  /** From where to where the log reaches now. */
  head(): Promise<Head>;

  /** The position that a cursor names; null where it is none of this log's key. Its epoch and tag are unchecked. */
  positionOf(cursor: string): Promise<Position | null>;

  /**
   * Entries that match, from the smallest index that applies; examines at most {@link EXAMINE_LIMIT}. `head` is
   * read first and nothing later than it is returned. Newest first, a trimmed `from` gives an empty last page;
   * oldest first it rejects with CURSOR_EXPIRED, as a trimmed `since` does. A foreign position rejects with
   * CURSOR_UNKNOWN. Erased entries are left out.
   */
  find(query: FindQuery): Promise<FindPage>;

  /** The newest entry of this event id that the log holds. */
  findById(id: string): Promise<Entry | null>;

  /**
   * Counts by bucket and type. Exact for what the log holds; what it has trimmed is counted by the minute that it
   * was received in, for conditions on type and subaccount alone. Rejects with LIMIT_EXCEEDED over {@link COUNT_LIMIT}.
   */
  count(query: CountQuery): Promise<readonly CountRow[]>;

  /** Remembers requests to the webhook endpoint, the last {@link WEBHOOK_REQUESTS_KEPT} over all instances. */
  recordRequests(requests: readonly WebhookRequest[]): Promise<void>;

  /** The remembered requests, newest first. */
  requests(limit: number): Promise<readonly WebhookRequest[]>;

  /**
   * Calls `listener` after each append or step of an erasure by any instance, soon, in order, at most once: a wake-up may be lost, never
   * an entry. Returns a function that stops it. The listener must not throw.
   */
  onWakeUp(listener: (wakeUp: WakeUp) => void): () => void;

  /**
   * Gives the log a new epoch, if it still has `known`: for whoever has seen that the log is not the one it was.
   * Resolves to the epoch that the log now has.
   */
  renewEpoch(known: string): Promise<string>;

  /**
   * A secret of this log for `purpose`: 32 bytes, the same on every instance for as long as the log lives, unlike the
   * one for any other purpose, and telling nothing of the key of the cursors.
   */
  secret(purpose: string): Promise<Uint8Array>;

  /** Puts a token on the list of those that no longer hold, until `until`, milliseconds since the Unix epoch. */
  revoke(tokenId: string, until: number): Promise<void>;

  /** The tokens whose time on the list is not over; null where the list is still that of the revision `known`. */
  revokedTokens(known: string | null): Promise<RevokedTokens | null>;

  /**
   * Erases the events of a recipient: those that the filter `email` finds, and that are there when it is called.
   * Their entries stay, without an event, so that no gap arises, and so do their ids, so that a redelivery is known
   * again; neither filters nor counts know them any more. Every instance's listeners are told. It goes step by step,
   * each of which takes effect altogether or not at all, with appends in between; when it has rejected, call it again.
   * Resolves to the number of events erased, when no bytes of them are left in the store that the store can remove.
   */
  erase(email: string): Promise<number>;

  /** Trims what is over the limits' age. Called by a timer; resolves to the number of entries trimmed. */
  trim(): Promise<number>;

  /** Whether the log answers and takes events: rejects with LOG_UNAVAILABLE and the reason. */
  check(): Promise<void>;

  /**
   * Resolves when everything that was begun has ended and the store is released. What the store does not answer soon
   * rejects: whoever needs an answer waits for it before.
   */
  close(): Promise<void>;
}
