import type { Duplex } from "node:stream";
import { type Stay, UNENDING } from "../access/stay.ts";
import { createPace } from "../hub/pace.ts";

/** A replay goes on while less than this waits for the socket. Bytes. */
const ROOM_BYTES = 64 * 1024;

const NOTHING = Buffer.alloc(0);

/**
 * What a write that waits takes beside its bytes, in objects of Node and V8: 430 and 450 were measured, and the heap
 * takes as much again until it is collected. Without it a backlog of small frames would take far more memory than it
 * may. Bytes.
 */
const WAITING_WRITE_BYTES = 1_024;

/** Whose frames they are; when it is closed its frames are dropped. */
export interface FrameOwner {
  /** As it stands in JSON, without quotes. */
  readonly id: string;
  /** Length of the id in UTF-8. */
  readonly idBytes: number;
  readonly closed: boolean;
}

/**
 * Frames that wait for the end of the turn, one object for all who get the same: whose they are is told when they are
 * written. No owner means that they are the protocol's own.
 */
export interface QueuedFrames<Owner extends FrameOwner | null = FrameOwner | null> {
  /** How many they are. */
  readonly count: number;
  /** Bytes. */
  readonly length: number;
  copyTo(owner: Owner, target: Buffer, offset: number): void;
  /** The frames as they stand, for one write and no longer, unless {@link keep} is called. */
  lend(owner: Owner): Buffer;
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
  /** null while nothing is queued: most sockets are idle, and there are many. */
  #queue: Queued[] | null = null;
  #queuedBytes = 0;
  /** Writes that wait behind one that the socket has not handed on. */
  #waiting = 0;
  /** Called for each of them, once it is handed on; null until the first has to wait. */
  #onTaken: (() => void) | null = null;
  /** Whether the socket, when it was last given something, had not handed on everything. */
  #isBacked = false;
  #fullSince: number | null = null;
  #isCut = false;
  /** Running operations that write here. */
  operations = 0;
  /** The peer's: asked whenever something is handed to the socket. */
  stay: Stay = UNENDING;

  constructor(socket: Duplex, flushes: FlushQueue) {
    this.#socket = socket;
    this.#flushes = flushes;
  }

  /** Bytes that this process holds for the peer, who has yet to take them: the kernel's own buffer comes on top. */
  get buffered(): number {
    if (!this.#isBacked) return this.#queuedBytes;
    return this.#queuedBytes + this.#socket.writableLength + this.#waiting * WAITING_WRITE_BYTES;
  }

  /** Bytes that may be queued now. While nothing waits any one frame may, however large. */
  get room(): number {
    return this.#flushes.maxBufferedBytes - this.buffered;
  }

  /** Whether the socket has not been ended from this side. */
  get isOpen(): boolean {
    return !this.#socket.writableEnded;
  }

  get hasRoom(): boolean {
    return this.buffered < Math.min(ROOM_BYTES, this.#flushes.maxBufferedBytes);
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
  push<Owner extends FrameOwner | null>(frames: QueuedFrames<Owner>, owner: Owner): void {
    if (this.#isCut) return;
    this.#queuedBytes += frames.length;
    if (this.#queue !== null) {
      this.#queue.push({ frames, owner });
      return;
    }
    this.#queue = [{ frames, owner }];
    this.#flushes.add(this);
  }

  /** As {@link push}, for the last that its owner queues in this turn: it leaves at once where nobody else may follow. */
  pushLast<Owner extends FrameOwner | null>(frames: QueuedFrames<Owner>, owner: Owner): void {
    if (this.operations > 1 || this.#queue !== null || this.#isCut) this.push(frames, owner);
    else if (this.#mayWrite() && this.#isSent(frames, owner)) this.#writeOne(frames, owner);
  }

  /** Queues a message of the protocol. */
  text(message: string): void {
    this.push(new TextFrame(message), null);
  }

  /** Hands everything queued to the socket now: before something else writes to it. */
  flush(): void {
    const queue = this.#queue;
    if (queue === null) return;
    this.#empty();
    if (!this.#mayWrite()) return;
    let together: Queued[] = [];
    for (const each of queue) {
      if (!this.#isSent(each.frames, each.owner)) continue;
      if (each.frames.length < ALONE_BYTES) {
        together.push(each);
        continue;
      }
      this.#writeTogether(together);
      this.#writeOne(each.frames, each.owner);
      together = [];
    }
    this.#writeTogether(together);
  }

  /**
   * Nobody may see any more of it: drops what is queued and takes nothing more. Returns whether the socket has handed
   * on all that it was given before.
   */
  cut(): boolean {
    this.#isCut = true;
    this.#empty();
    return this.#socket.writableLength === 0;
  }

  #empty(): void {
    this.#queue = null;
    this.#queuedBytes = 0;
  }

  #mayWrite(): boolean {
    // What was destroyed otherwise takes a write without a word.
    return this.isOpen && this.stay.holds();
  }

  /** Whether they go to the peer: they are counted then. */
  #isSent({ count, length }: QueuedFrames, owner: FrameOwner | null): boolean {
    if (owner?.closed === true) return false;
    const { sent } = this.#flushes;
    sent.frames += count;
    sent.bytes += length;
    return true;
  }

  #writeOne(frames: QueuedFrames, owner: FrameOwner | null): void {
    if (this.#waits()) {
      this.#writeCopy([{ frames, owner }], true);
      return;
    }
    this.#hand(frames.lend(owner));
    if (this.#isBacked) frames.keep();
  }

  #writeTogether(together: readonly Queued[]): void {
    const [first, second] = together;
    if (first === undefined) return;
    if (second === undefined) this.#writeOne(first.frames, first.owner);
    else this.#writeCopy(together, this.#waits());
  }

  /** One buffer, though it is a copy: a vector of small ones costs more to hand over. */
  #writeCopy(together: readonly Queued[], waits: boolean): void {
    const length = together.reduce((sum, { frames }) => sum + frames.length, 0);
    // What has to wait is not taken from the common pool, of which it would keep a multiple of its size.
    const bytes = waits ? Buffer.allocUnsafeSlow(length) : Buffer.allocUnsafe(length);
    let offset = 0;
    for (const { frames, owner } of together) {
      frames.copyTo(owner, bytes, offset);
      offset += frames.length;
    }
    if (waits) this.#handWaiting(bytes);
    else this.#hand(bytes);
  }

  #waits(): boolean {
    return this.#isBacked && this.#socket.writableLength > 0;
  }

  #handWaiting(bytes: Buffer): void {
    this.#waiting += 1;
    this.#onTaken ??= () => {
      this.#waiting -= 1;
    };
    this.#hand(bytes, this.#onTaken);
  }

  #hand(bytes: Buffer, onTaken?: () => void): void {
    const wasFull = this.#fullSince !== null && this.#socket.writableNeedDrain;
    if (this.#socket.write(bytes, onTaken)) this.#fullSince = null;
    else if (!wasFull) this.#fullSince = performance.now();
    this.#isBacked = this.#socket.writableLength > 0;
  }
}

interface Queued {
  readonly frames: QueuedFrames;
  readonly owner: FrameOwner | null;
}

/** What all writers of a flush queue have handed to their sockets, close frames and pings of `ws` apart. */
export interface SentTally {
  frames: number;
  bytes: number;
}

/** Writers with something to write. They are flushed together. */
export interface FlushQueue {
  readonly sent: SentTally;
  /** Bytes that may wait for one socket. */
  readonly maxBufferedBytes: number;
  add(writer: SocketWriter): void;
}

export function createFlushQueue(maxBufferedBytes: number): FlushQueue {
  let writers: SocketWriter[] = [];
  const flushing = createPace(() => {
    const due = writers;
    writers = [];
    for (const writer of due) writer.flush();
  });
  return {
    sent: { frames: 0, bytes: 0 },
    maxBufferedBytes,
    add(writer) {
      if (writers.push(writer) === 1) flushing.soon();
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
class TextFrame implements QueuedFrames<null> {
  readonly count = 1;
  readonly length: number;
  readonly #message: string;
  readonly #messageBytes: number;

  constructor(message: string) {
    this.#message = message;
    this.#messageBytes = Buffer.byteLength(message);
    this.length = headerLength(this.#messageBytes) + this.#messageBytes;
  }

  copyTo(_owner: null, target: Buffer, offset: number): void {
    target.write(this.#message, writeHeader(target, offset, this.#messageBytes));
  }

  lend(owner: null): Buffer {
    const frame = Buffer.allocUnsafe(this.length);
    this.copyTo(owner, frame, 0);
    return frame;
  }

  keep(): void {}
}
