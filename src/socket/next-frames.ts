import type { Run } from "../hub/subscriber.ts";
import { type FrameOwner, headerLength, type QueuedFrames, type SocketWriter, writeHeader } from "./socket-writer.ts";

const BEFORE_ID = Buffer.from('{"id":"');
const AFTER_ID = Buffer.from('","type":"next","payload":');
const AFTER_PAYLOAD = Buffer.from("}");

/** The `next` frames of a run, one behind the other, with a gap of one length where each operation's id goes. */
interface FrameTemplate {
  bytes: Buffer;
  /** Whether a socket still needs these very bytes: whoever writes into them next has to make others. */
  isKept: boolean;
  /** Offset of each frame's id. */
  readonly ids: readonly number[];
  /** Offset behind each frame. */
  readonly ends: readonly number[];
}

/**
 * Queues the frames of `run` for one operation, from index `from` on, as many as the writer has room for. The
 * template is made once for all operations whose id has the same length, and patched for each.
 *
 * @returns the index of the first entry that was not queued
 */
export function queueNextFrames(writer: SocketWriter, operation: FrameOwner, run: Run, from: number): number {
  const { idBytes } = operation;
  const whole = run.derive(idBytes, () => new NextFrames(makeTemplate(run, idBytes)));
  if (from === 0 && whole.length <= writer.room) {
    if (run.kind === "live") writer.pushLast(whole, operation);
    else writer.push(whole, operation);
    return whole.count;
  }
  const part = whole.part(from, writer.room, writer.buffered === 0);
  if (part === null) return from;
  writer.push(part, operation);
  return from + part.count;
}

/** Frames of a run, in the template until they are written. */
class NextFrames implements QueuedFrames<FrameOwner> {
  readonly count: number;
  readonly length: number;
  readonly #template: FrameTemplate;
  readonly #from: number;
  readonly #start: number;

  constructor(template: FrameTemplate, from = 0, to = template.ends.length) {
    this.#template = template;
    this.#from = from;
    this.#start = from === 0 ? 0 : (template.ends[from - 1] as number);
    this.count = to - from;
    this.length = (template.ends[to - 1] as number) - this.#start;
  }

  /** Those from index `from` on that `room` bytes hold; where `atLeastOne`, the first however large. null for none. */
  part(from: number, room: number, atLeastOne: boolean): NextFrames | null {
    const { ends } = this.#template;
    const start = from === 0 ? 0 : (ends[from - 1] as number);
    let to = atLeastOne ? from + 1 : from;
    while (to < ends.length && (ends[to] as number) - start <= room) to += 1;
    return to === from ? null : new NextFrames(this.#template, from, to);
  }

  copyTo(owner: FrameOwner, target: Buffer, offset: number): void {
    this.#template.bytes.copy(target, offset, this.#start, this.#start + this.length);
    this.#writeIds(owner, target, this.#start - offset);
  }

  lend(owner: FrameOwner): Buffer {
    const template = this.#template;
    if (template.isKept) {
      template.bytes = Buffer.from(template.bytes);
      template.isKept = false;
    }
    const { bytes } = template;
    this.#writeIds(owner, bytes, 0);
    return this.length === bytes.length ? bytes : bytes.subarray(this.#start, this.#start + this.length);
  }

  keep(): void {
    this.#template.isKept = true;
  }

  /** Writes the operation's id into the gaps of frames that stand `shift` bytes before their place in the template. */
  #writeIds({ id, idBytes }: FrameOwner, frames: Buffer, shift: number): void {
    const { ids } = this.#template;
    const first = (ids[this.#from] as number) - shift;
    frames.write(id, first);
    // Bytes are copied sooner than text is encoded.
    for (let index = 1; index < this.count; index += 1) {
      frames.copyWithin((ids[this.#from + index] as number) - shift, first, first + idBytes);
    }
  }
}

function makeTemplate({ group, entries, kind }: Run, idLength: number): FrameTemplate {
  const payloads = group.encode(entries, kind);
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
  return { bytes, isKept: false, ids, ends };
}
