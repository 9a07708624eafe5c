import type { LiveEntry } from "../event/live-entry.ts";
import type { Run } from "../hub/subscriber.ts";

const BEFORE_EVENT = Buffer.from('{"data":{"eventReceived":');
const BEHIND_EVENT = '},"extensions":{"cursor":""}}';

/** What a run comes to on one transport: a piece an entry, one behind the other. */
export interface Pieces {
  readonly bytes: Buffer;
  /** Offset behind each piece. */
  readonly ends: readonly number[];
}

/** How a transport writes an event: what stands before its JSON, and what behind it. */
export interface PieceShape {
  readonly before: (entry: LiveEntry) => Buffer;
  readonly behind: Buffer;
}

/**
 * The pieces of a run, made once for all who listen by the same transport. An event's own JSON is cut out of the
 * group's encoding, which sockets share.
 */
export function piecesOf(run: Run, shape: PieceShape): Pieces {
  return run.derive(shape, () => {
    const parts: Buffer[] = [];
    const ends: number[] = [];
    let length = 0;
    const encodings = run.group.encode(run.entries, run.kind);
    for (const [index, entry] of run.entries.entries()) {
      const json = eventJson(encodings[index] as Buffer, entry);
      const piece = [shape.before(entry), json, shape.behind];
      parts.push(...piece);
      length += piece.reduce((sum, part) => sum + part.length, 0);
      ends.push(length);
    }
    return { bytes: Buffer.concat(parts, length), ends };
  });
}

/**
 * The pieces from index `from` on that fit into `room`, and the index behind them.
 * @param atLeast so many are taken, whatever their size
 */
export function takePieces({ bytes, ends }: Pieces, from: number, room: number, atLeast: number): [Buffer, number] {
  const start = from === 0 ? 0 : (ends[from - 1] as number);
  let to = Math.min(from + atLeast, ends.length);
  while (to < ends.length && (ends[to] as number) - start <= room) to += 1;
  return [bytes.subarray(start, to === from ? start : ends[to - 1]), to];
}

/** The event within the result of its subscription. */
function eventJson(result: Buffer, entry: LiveEntry): Buffer {
  if (result.subarray(0, BEFORE_EVENT.length).equals(BEFORE_EVENT)) {
    return result.subarray(BEFORE_EVENT.length, result.length - BEHIND_EVENT.length - entry.cursor.length);
  }
  // An event that cannot be shown (no field throws, so nobody has seen one) is told all the same.
  const { errors } = JSON.parse(String(result)) as { errors?: unknown };
  return Buffer.from(JSON.stringify({ id: entry.event.id, cursor: entry.cursor, errors }));
}
