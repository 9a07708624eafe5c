import { logUnavailable, ServiceError } from "../../error.ts";
import type { Position } from "../../event/cursor.ts";
import { createEntryCodec, Entry, type EntryCodec } from "../../event/entry.ts";
import type { StoredForm } from "../../event/stored-event.ts";
import type { Head } from "../event-log.ts";

/** What the log reaches from and to, in one snapshot. */
export interface LogState extends Position {
  /** {@link LAYOUT} or {@link FORMER_LAYOUT}. */
  readonly layout: string;
  /** The newest entry's; 0 while there is none. */
  readonly receivedAt: number;
  /** Number of the oldest entry held, as every reader is to see it. */
  readonly oldest: number;
  /** Number of the oldest entry that Redis still has: trimming by count lags behind a little. */
  readonly oldestKept: number;
  /** First minute since the Unix epoch whose counts are kept. */
  readonly countsFrom: number;
  /** How often something was taken out of the index: what was read of it before no longer holds. */
  readonly erasures: number;
  readonly codec: EntryCodec;
  /** The key under which cursors are shown, as hexadecimal digits. */
  readonly cursorKey: string;
}

/** The layout of a log that this version makes, as in prelude.lua. */
export const LAYOUT = "2";
/** The one before, whose index is a sorted set a value: such a log is read and written as it is. */
export const FORMER_LAYOUT = "1";

/** The fields of the meta hash, in the order in which a state is read. */
export const STATE_FIELDS = [
  "layout",
  "epoch",
  "number",
  "tag",
  "receivedAt",
  "oldest",
  "cursorKey",
  "countsFrom",
  "erasures",
] as const;

type StateReply = readonly (string | null)[];

type KnownLog = Pick<LogState, "layout" | "epoch" | "number" | "codec" | "cursorKey">;

/** Reads states from replies, and remembers the newest. */
export interface LogStates {
  /** Null where there is no log. The reply may have more behind the state's fields. */
  parse(reply: StateReply): LogState | null;
  /** What was last seen; null before that. */
  readonly known: KnownLog | null;
  /** The epoch was changed, by ourselves. */
  renewed(epoch: string): void;
}

export function createLogStates(retentionEvents: number, form: StoredForm): LogStates {
  let known: KnownLog | null = null;
  return {
    parse(reply) {
      const [layout, epoch, number, tag, receivedAt, oldest, cursorKey, countsFrom, erasures] = reply as string[];
      if (layout === null) return null;
      refuseOtherLayout(layout as string);
      const codec =
        known !== null && known.cursorKey === cursorKey
          ? known.codec
          : createEntryCodec(Buffer.from(cursorKey as string, "hex"), form);
      const state: LogState = {
        layout: layout as string,
        epoch: epoch as string,
        number: Number(number),
        tag: tag as string,
        receivedAt: Number(receivedAt),
        oldest: Math.max(Number(oldest), Number(number) - retentionEvents + 1),
        oldestKept: Number(oldest),
        countsFrom: Number(countsFrom),
        erasures: Number(erasures),
        codec,
        cursorKey: cursorKey as string,
      };
      known = state;
      return state;
    },
    get known() {
      return known;
    },
    renewed(epoch) {
      if (known !== null) known = { ...known, epoch };
    },
  };
}

/** @throws LOG_UNAVAILABLE where the log is of another version's layout, or is being moved. */
export function refuseOtherLayout(layout: string): void {
  if (layout === LAYOUT || layout === FORMER_LAYOUT) return;
  throw logUnavailable(`The log in Redis has layout ${layout}, and this version knows ${FORMER_LAYOUT} and ${LAYOUT}.`);
}

/** The log has got the other layout since it was last looked at. */
class OtherLayout extends ServiceError {
  constructor() {
    super("LOG_UNAVAILABLE", "The log in Redis is another by now.");
  }
}

/** @throws what {@link isOtherLayout} knows, where the log has the other of the two layouts. */
export function requireLayout(log: Pick<LogState, "layout"> | null, layout: string): void {
  if (log?.layout !== layout) throw new OtherLayout();
}

/** Whether somebody found another layout than was expected: one of our own, or of a script as prelude.lua raises it. */
export function isOtherLayout(error: unknown): boolean {
  return error instanceof OtherLayout || (error instanceof Error && error.message.includes("LAYOUT the log has"));
}

export function headOf({ epoch, number, tag, oldest, codec }: LogState): Head {
  return { epoch, number, tag, oldest, cursor: codec.encode({ epoch, number, tag }) };
}

/** The entry at `position` from its stored form; null where it was erased. */
export function entryOf(position: Position, receivedAt: number, stored: string | null, codec: EntryCodec): Entry {
  return new Entry(position, receivedAt, stored, stored === null ? 0 : Buffer.byteLength(stored), codec);
}
