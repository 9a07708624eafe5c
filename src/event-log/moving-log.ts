import type { Position } from "../event/cursor.ts";
import type { FilterField } from "../event/event-filter.ts";

/** What a log is, apart from what it holds: whoever has it reads the log's cursors, and writes them. */
export interface MovingState extends Position {
  /** Of the cursors, as hexadecimal digits. */
  readonly cursorKey: string;
  /** Of the newest entry; 0 while there is none. */
  readonly receivedAt: number;
  /** Number of the oldest entry held. */
  readonly oldest: number;
  /** First minute since the Unix epoch for which counts are kept. */
  readonly countsFrom: number;
}

/** An entry on its way from one store to another: it keeps its place, its tag and its time. */
export interface MovingEntry {
  readonly number: number;
  readonly tag: string;
  readonly receivedAt: number;
  /** Of its event. */
  readonly id: string;
  /** undefined where it is trimmed, and known by its id alone; null where its event was erased. */
  readonly stored: string | null | undefined;
  /** What it is found by. */
  readonly terms: readonly { readonly field: FilterField; readonly value: string }[];
}

/** Events of one type and subaccount, or none, that were received in one minute since the Unix epoch. */
export interface MovingCount {
  readonly minute: number;
  readonly type: string;
  readonly subaccount: string | null;
  readonly count: number;
}

/** What is moved behind the entries. */
export interface MovingRemainder {
  /** The first number of each minute in which something was received. */
  readonly minutes: ReadonlyMap<number, number>;
  /** Every event is in one of them. */
  readonly counts: readonly MovingCount[];
  /** Webhook requests as JSON, newest first. */
  readonly requests: readonly string[];
  readonly revoked: readonly { readonly tokenId: string; readonly until: number }[];
}
