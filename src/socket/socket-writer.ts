import type { Duplex } from "node:stream";
import { type Stay, UNENDING } from "../access/stay.ts";

/** A replay goes on while less than this waits for the socket. Bytes. */
const ROOM_BYTES = 64 * 1024;

const NOTHING = Buffer.alloc(0);

/** Whoever queued a frame; when it is closed its frames are dropped. */
export interface FrameOwner {
  readonly closed: boolean;
}

/** Frames that wait for the end of the turn: what they take until then is shared by all who get the same. */
export interface QueuedFrames {
  readonly owner: FrameOwner | null;
  /** How many they are. */
  readonly count: number;
  /** Bytes. */
  readonly length: number;
  copyTo(target: Buffer, offset: number): void;
  /** The frames as they stand, for one write and no longer, unless {@link keep} is called. */
  lend(): Buffer;
  /** The socket still needs what was lent, because the kernel has not taken all of it. */
  keep(): void;
}

/** From this size on frames are written by themselves: to copy them behind others would cost more. Bytes. */
const ALONE_BYTES = 8 * 1024;

/**
 * The one way to a socket: frames of the GraphQL library and of subscriptions leave in the order in which they came,
 * and those of one turn of the event loop leave in one write.
 */
export class SocketWriter {
  readonly #socket: Duplex;
  readonly #flushes: FlushQueue;
  readonly #maxBufferedBytes: number;
  /** null while nothing is queued: most sockets are idle, and there are many. */
  #queue: QueuedFrames[] | null = null;
  #queuedBytes = 0;
  #fullSince: number | null = null;
  #isCut = false;
  /** The peer's: asked whenever something is handed to the socket. */
  stay: Stay = UNENDING;

  constructor(socket: Duplex, flushes: FlushQueue, maxBufferedBytes: number) {
    this.#socket = socket;
    this.#flushes = flushes;
    this.#maxBufferedBytes = maxBufferedBytes;
  }

  /** Bytes that the peer has yet to take, as far as this process knows: the kernel's own buffer comes on top. */
  get buffered(): number {
    return this.#queuedBytes + this.#socket.writableLength;
  }

  /** Bytes that may be queued now. While nothing waits any one frame may, however large. */
  get room(): number {
    return this.#maxBufferedBytes - this.buffered;
  }

  get hasRoom(): boolean {
    return this.buffered < Math.min(ROOM_BYTES, this.#maxBufferedBytes);
  }

  /**
   * Resolves when the socket has taken everything, so that the next frame is let in however large it is; never, once
   * the socket is gone.
   */
  drained(): Promise<void> {
    this.flush();
    if (!this.#socket.writable) return new Promise(() => {});
    if (this.#socket.writableLength === 0) return Promise.resolve();
    // Written behind all that waits, nothing at all is told of when its turn has come.
    return new Promise((resolve) => this.#socket.write(NOTHING, () => resolve()));
  }

  /** Since when the socket takes nothing more, by `performance.now()`; null while it does. */
  get fullSince(): number | null {
    return this.#socket.writableNeedDrain ? this.#fullSince : null;
  }

  /** Queues frames whatever waits already: the caller has asked for room, or they end something. */
  push(frames: QueuedFrames): void {
    if (this.#isCut) return;
    if (this.#queue === null) {
      this.#queue = [frames];
      this.#flushes.add(this);
    } else {
      this.#queue.push(frames);
    }
    this.#queuedBytes += frames.length;
  }

  /** Queues a message of the protocol. */
  text(message: string): void {
    this.push(new TextFrame(message));
  }

  /** Hands everything queued to the socket now: before something else writes to it. */
  flush(): void {
    const queue = this.#queue;
    if (queue === null) return;
    this.#queue = null;
    this.#queuedBytes = 0;
    if (this.#socket.destroyed || !this.#socket.writable || !this.stay.holds()) return;
    let together: QueuedFrames[] = [];
    const { sent } = this.#flushes;
    for (const frames of queue) {
      if (frames.owner?.closed === true) continue;
      sent.frames += frames.count;
      sent.bytes += frames.length;
      if (frames.length < ALONE_BYTES) {
        together.push(frames);
        continue;
      }
      this.#write(together);
      this.#write([frames]);
      together = [];
    }
    this.#write(together);
  }

  /**
   * Nobody may see any more of it: drops what is queued and takes nothing more. Returns whether the socket has handed
   * on all that it was given before.
   */
  cut(): boolean {
    this.#isCut = true;
    this.#queue = null;
    this.#queuedBytes = 0;
    return this.#socket.writableLength === 0;
  }

  #write(together: readonly QueuedFrames[]): void {
    const [first] = together;
    if (first === undefined) return;
    const waits = this.#socket.writableLength > 0;
    if (together.length === 1 && !waits) {
      this.#hand(first.lend());
      if (this.#socket.writableLength > 0) first.keep();
      return;
    }
    const length = together.reduce((sum, frames) => sum + frames.length, 0);
    // One buffer, though it is a copy: a vector of small ones costs more to hand over. What has to wait is not taken
    // from the common pool, of which it would keep a multiple of its size.
    const bytes = waits ? Buffer.allocUnsafeSlow(length) : Buffer.allocUnsafe(length);
    let offset = 0;
    for (const frames of together) {
      frames.copyTo(bytes, offset);
      offset += frames.length;
    }
    this.#hand(bytes);
  }

  #hand(bytes: Buffer): void {
    const wasFull = this.#socket.writableNeedDrain;
    if (this.#socket.write(bytes)) this.#fullSince = null;
    else if (!wasFull) this.#fullSince = performance.now();
  }
}

/** The longest rest between two flushes. Milliseconds. */
const MAX_REST = 5;

/** What all writers of a flush queue have handed to their sockets, close frames and pings of `ws` apart. */
export interface SentTally {
  frames: number;
  bytes: number;
}

/** Writers with something to write. They are flushed together. */
export interface FlushQueue {
  readonly sent: SentTally;
  add(writer: SocketWriter): void;
}

/**
 * Flushes once everything readable has been read, and then rests for as long as the flush has taken: under load, what
 * comes meanwhile leaves in one write a socket, and half of the time stays for other work. What comes seldom, or to
 * few, never waits.
 */
export function createFlushQueue(): FlushQueue {
  let writers: SocketWriter[] = [];
  let restUntil = 0;
  const flush = (): void => {
    const due = writers;
    writers = [];
    const begun = performance.now();
    for (const writer of due) writer.flush();
    const ended = performance.now();
    restUntil = ended + Math.min(ended - begun, MAX_REST);
  };
  return {
    sent: { frames: 0, bytes: 0 },
    add(writer) {
      if (writers.push(writer) > 1) return;
      const rest = restUntil - performance.now();
      if (rest < 1) setImmediate(flush);
      else setTimeout(flush, rest);
    },
  };
}

/** RFC 6455, section 5.2: FIN and the opcode "text"; a server masks nothing. */
const FIN_TEXT = 0x81;

/** Bytes of the header of a frame with so many bytes of payload. */
export function headerLength(payloadBytes: number): number {
  if (payloadBytes < 126) return 2;
  return payloadBytes < 65_536 ? 4 : 10;
}

/** Writes the header of a whole text message into `target` at `offset`; returns the offset behind it. */
export function writeHeader(target: Buffer, offset: number, payloadBytes: number): number {
  target[offset] = FIN_TEXT;
  if (payloadBytes < 126) {
    target[offset + 1] = payloadBytes;
    return offset + 2;
  }
  if (payloadBytes < 65_536) {
    target[offset + 1] = 126;
    return target.writeUInt16BE(payloadBytes, offset + 2);
  }
  target[offset + 1] = 127;
  return target.writeUInt32BE(payloadBytes, target.writeUInt32BE(Math.floor(payloadBytes / 2 ** 32), offset + 2));
}

/** A message of the protocol, which is nobody's own and never dropped. */
class TextFrame implements QueuedFrames {
  readonly owner = null;
  readonly count = 1;
  readonly length: number;
  readonly #message: string;
  readonly #messageBytes: number;

  constructor(message: string) {
    this.#message = message;
    this.#messageBytes = Buffer.byteLength(message);
    this.length = headerLength(this.#messageBytes) + this.#messageBytes;
  }

  copyTo(target: Buffer, offset: number): void {
    target.write(this.#message, writeHeader(target, offset, this.#messageBytes));
  }

  lend(): Buffer {
    const frame = Buffer.allocUnsafe(this.length);
    this.copyTo(frame, 0);
    return frame;
  }

  keep(): void {}
}
