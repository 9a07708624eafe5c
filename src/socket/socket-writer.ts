import type { Duplex } from "node:stream";

/** A replay goes on while less than this waits for the socket. Bytes. */
const ROOM_BYTES = 64 * 1024;

const NOTHING = Buffer.alloc(0);

/** Whoever queued a frame; when it is closed its frames are dropped. */
export interface FrameOwner {
  readonly closed: boolean;
}

/**
 * The one way to a socket: frames of the GraphQL library and of subscriptions leave in the order in which they came,
 * and those of one turn of the event loop leave in one write.
 */
export class SocketWriter {
  readonly #socket: Duplex;
  readonly #flushes: FlushQueue;
  readonly #maxBufferedBytes: number;
  #frames: Buffer[] = [];
  #owners: (FrameOwner | null)[] = [];
  #queuedBytes = 0;
  #fullSince: number | null = null;

  constructor(socket: Duplex, flushes: FlushQueue, maxBufferedBytes: number) {
    this.#socket = socket;
    this.#flushes = flushes;
    this.#maxBufferedBytes = maxBufferedBytes;
    socket.on("drain", () => {
      this.#fullSince = null;
    });
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
    return this.#fullSince;
  }

  /** Queues frames whatever waits already: the caller has asked for room, or they end something. */
  push(frames: Buffer, owner: FrameOwner | null): void {
    if (this.#frames.length === 0) this.#flushes.add(this);
    this.#frames.push(frames);
    this.#owners.push(owner);
    this.#queuedBytes += frames.length;
  }

  /** Whether nothing is queued here and the socket has taken all it was given: the next write may go straight on. */
  get isIdle(): boolean {
    return this.#frames.length === 0 && this.#socket.writableLength === 0 && this.#socket.writable;
  }

  /**
   * Writes frames at once, past the queue: only while {@link isIdle}. Returns whether the socket still needs the
   * buffer, because the kernel has not taken all of it.
   */
  writeThrough(frames: Buffer): boolean {
    if (!this.#socket.write(frames)) this.#fullSince ??= performance.now();
    return this.#socket.writableLength > 0;
  }

  /** Queues a message of the protocol. */
  text(message: string): void {
    this.push(textFrame(Buffer.from(message)), null);
  }

  /** Hands everything queued to the socket now: before something else writes to it. */
  flush(): void {
    const frames = this.#frames;
    if (frames.length === 0) return;
    const owners = this.#owners;
    this.#frames = [];
    this.#owners = [];
    this.#queuedBytes = 0;
    if (this.#socket.destroyed || !this.#socket.writable) return;
    const due = frames.filter((_frame, index) => owners[index]?.closed !== true);
    if (due.length === 0) return;
    // One buffer, though it is a copy: a vector of small ones costs more to hand over.
    const kept = this.#socket.write(due.length === 1 ? (due[0] as Buffer) : Buffer.concat(due));
    if (!kept) this.#fullSince ??= performance.now();
  }
}

/** The longest rest between two flushes. Milliseconds. */
const MAX_REST = 5;

/** Writers with something to write. They are flushed together. */
export interface FlushQueue {
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

function textFrame(payload: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(headerLength(payload.length) + payload.length);
  payload.copy(frame, writeHeader(frame, 0, payload.length));
  return frame;
}
