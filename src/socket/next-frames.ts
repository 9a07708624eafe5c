import type { Run } from "../hub/subscriber.ts";
import { type FrameOwner, headerLength, type SocketWriter, writeHeader } from "./socket-writer.ts";

const BEFORE_ID = Buffer.from('{"id":"');
const AFTER_ID = Buffer.from('","type":"next","payload":');
const AFTER_PAYLOAD = Buffer.from("}");

/**
 * From this size on a run is written at once, out of the template itself: the copy would cost more than the write.
 * Smaller ones wait for the end of the turn, where several leave in one write. Bytes.
 */
const WRITE_THROUGH_BYTES = 8 * 1024;

/** The `next` frames of a run, one behind the other, with a gap of one length where each operation's id goes. */
interface FrameTemplate {
  /** Replaced where a socket has kept it. */
  bytes: Buffer;
  /** Offset of each frame's id. */
  readonly ids: readonly number[];
  /** Offset behind each frame. */
  readonly ends: readonly number[];
}

/**
 * Queues the frames of `run` for one operation, from index `from` on, as many as the writer has room for. The
 * template is made once for all operations whose id has the same length, then copied and patched.
 *
 * @param id the operation's id as it stands in JSON, without quotes
 * @returns the index of the first entry that was not queued
 */
export function queueNextFrames(writer: SocketWriter, owner: FrameOwner, run: Run, from: number, id: Buffer): number {
  const template = run.derive(id.length, () => makeTemplate(run, id.length));
  const { bytes, ends, ids } = template;
  const start = from === 0 ? 0 : (ends[from - 1] as number);
  const { room } = writer;
  let to = ends.length;
  if ((ends[to - 1] as number) - start > room) {
    // An empty queue takes any one frame, however large.
    to = writer.buffered === 0 ? from + 1 : from;
    while (to < ends.length && (ends[to] as number) - start <= room) to += 1;
    if (to === from) return to;
  }
  if (from === 0 && to === ends.length && bytes.length >= WRITE_THROUGH_BYTES && writer.isIdle) {
    for (const offset of ids) bytes.set(id, offset);
    if (writer.writeThrough(bytes)) template.bytes = Buffer.from(bytes);
    return to;
  }
  const frames = Buffer.allocUnsafe((ends[to - 1] as number) - start);
  bytes.copy(frames, 0, start);
  for (let index = from; index < to; index += 1) frames.set(id, (ids[index] as number) - start);
  writer.push(frames, owner);
  return to;
}

function makeTemplate({ group, entries, isRecent }: Run, idLength: number): FrameTemplate {
  const payloads = entries.map((entry) => group.encode(entry, isRecent));
  const around = BEFORE_ID.length + idLength + AFTER_ID.length + AFTER_PAYLOAD.length;
  const sizes = payloads.map((payload) => around + payload.length);
  const bytes = Buffer.allocUnsafe(sizes.reduce((sum, size) => sum + headerLength(size) + size, 0));
  const ids: number[] = [];
  const ends: number[] = [];
  let offset = 0;
  payloads.forEach((payload, index) => {
    offset = writeHeader(bytes, offset, sizes[index] as number);
    offset += BEFORE_ID.copy(bytes, offset);
    ids.push(offset);
    offset += idLength;
    offset += AFTER_ID.copy(bytes, offset);
    offset += payload.copy(bytes, offset);
    offset += AFTER_PAYLOAD.copy(bytes, offset);
    ends.push(offset);
  });
  return { bytes, ids, ends };
}
