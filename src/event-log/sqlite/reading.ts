import { cursorExpired, cursorUnknown, type ServiceError } from "../../error.ts";
import { ORIGIN_TAG, type Position } from "../../event/cursor.ts";
import type { ReadLimit } from "../event-log.ts";
import type { LogFile } from "./log-file.ts";
import type { StoredChunk, StoredEntry, StoredHead } from "./store-calls.ts";

/** Reading entries by number, and judging whether a position is one of this log's. */
export interface Reading {
  head(): StoredHead;
  /** Entry `number`, which the log holds. */
  entry(number: number): StoredEntry;
  /** The newest entry of this event id; null where there is none, and where its event was erased. */
  entryOfId(id: string): StoredEntry | null;
  positionOf(number: number): Position;
  /** Whether what follows `position` is all held: "expired" if not. Throws CURSOR_UNKNOWN where it is foreign. */
  locate(position: Position): "held" | "expired";
  /** The error for a position that has expired, naming where the log reaches from and to. */
  expired(): ServiceError;
  read(position: Position, limit: ReadLimit): StoredChunk;
}

const COLUMNS = "number, tag, received_at AS receivedAt, stored";

export function createReading({ database, codec, state }: LogFile): Reading {
  const byNumber = database.prepare(`SELECT ${COLUMNS} FROM entries JOIN events USING (number) WHERE number = ?`);
  const following = database.prepare(
    `SELECT ${COLUMNS} FROM events JOIN entries USING (number) WHERE number > ? ORDER BY number LIMIT ?`,
  );
  const tagOf = database.prepare("SELECT tag FROM entries WHERE number = ?");
  const newestOfId = database.prepare(
    "SELECT number FROM entries WHERE id = ? AND number >= ? ORDER BY number DESC LIMIT 1",
  );

  const head = (): StoredHead => ({
    epoch: state.epoch,
    number: state.number,
    tag: state.tag,
    oldest: state.oldest,
  });
  const positionOf = (number: number): Position => ({
    epoch: state.epoch,
    number,
    tag: number === 0 ? ORIGIN_TAG : (tagOf.get(number)?.tag as string),
  });
  // node:sqlite's rows have no prototype; such an object crosses to another thread all the same.
  const entry = (number: number) => byNumber.get(number) as unknown as StoredEntry;

  /** The ends of the log as cursors, for an error; null while it is empty. */
  function ends(): [oldest: string | null, head: string | null] {
    return state.number === 0 ? [null, null] : [codec.encode(positionOf(state.oldest)), codec.encode(head())];
  }
  const expired = () => cursorExpired(...ends());

  function locate({ epoch, number, tag }: Position): "held" | "expired" {
    if (epoch !== state.epoch || number > state.number) throw cursorUnknown(...ends());
    // Number 0 is the place before the first entry: it is held as long as that entry is.
    if (number === 0 ? state.oldest > 1 : number < state.oldest) return "expired";
    if (positionOf(number).tag !== tag) throw cursorUnknown(...ends());
    return "held";
  }

  return {
    head,
    entry,
    entryOfId(id) {
      const found = newestOfId.get(id, state.oldest);
      const known = found === undefined ? null : entry(found.number as number);
      return known?.stored == null ? null : known;
    },
    positionOf,
    locate,
    expired,
    read(position, limit) {
      if (locate(position) === "expired") throw expired();
      const entries: StoredEntry[] = [];
      let bytes = 0;
      for (const row of following.iterate(position.number, limit.entries)) {
        const next = row as unknown as StoredEntry;
        bytes += next.stored === null ? 0 : Buffer.byteLength(next.stored);
        if (entries.length > 0 && bytes > limit.bytes) break;
        entries.push(next);
      }
      return { entries, head: head() };
    },
  };
}
