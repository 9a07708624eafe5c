import type { IncomingMessage } from "node:http";
import { ServiceError } from "../error.ts";

export interface BodyReaderOptions {
  /** Bytes of one body at the most. */
  readonly maxBytes: number;
  /**
   * Milliseconds without a byte after which a body is given up. A slow one that goes on arriving is bounded by the
   * server's `requestTimeout`: 32 MiB through a narrow tunnel take their time.
   */
  readonly idleTimeoutMs: number;
  /**
   * Bytes of unfinished bodies in memory at once, over all connections. Whoever signs nothing can still send much: a
   * hundred connections of 32 MiB each would end the process. @default 256 MiB, or two bodies where they are larger
   */
  readonly maxPendingBytes?: number | undefined;
}

/** The client has gone before its body was complete: there is nobody to answer. */
export class ClientGone extends Error {
  constructor() {
    super("the connection ended within the body");
    this.name = "ClientGone";
  }
}

/** What is known of a request so far. */
export interface Progress {
  /** Bytes of the body that have been read. */
  bytes: number;
}

export interface BodyReader {
  /**
   * The whole body, in memory of its own. Rejects with BODY_TOO_LARGE as soon as it is, with REQUEST_TIMEOUT where it
   * stops arriving, LIMIT_EXCEEDED where too much is being read at once, SHUTTING_DOWN after `close`, and
   * {@link ClientGone}. What follows is left in the request, unread.
   */
  read(request: IncomingMessage, progress: Progress): Promise<Buffer>;
  /** Gives up every body that is still arriving. */
  close(): void;
}

const MIB = 1024 * 1024;

/** Bytes that a body gets at once, if so many are announced: to announce costs nothing, so it is not all of them. */
const MAX_FIRST_ALLOCATION = MIB;
/** Bytes that a body gets at first whose length is not announced. */
const FIRST_ALLOCATION = 16 * 1024;

export function createBodyReader({
  maxBytes,
  idleTimeoutMs,
  maxPendingBytes = Math.max(256 * MIB, 2 * maxBytes),
}: BodyReaderOptions): BodyReader {
  let pendingBytes = 0;
  let isClosed = false;
  const givingUp = new Set<(error: ServiceError) => void>();

  const tooLarge = (): ServiceError =>
    new ServiceError("BODY_TOO_LARGE", `The body is larger than ${maxBytes} bytes.`, {
      expected: `a body of ${maxBytes} bytes at the most`,
    });

  return {
    read(request, progress) {
      if (isClosed) return Promise.reject(shuttingDown());
      const announced = Number(request.headers["content-length"] ?? 0);
      if (announced > maxBytes) return Promise.reject(tooLarge());
      return new Promise((resolve, reject) => {
        // One growing buffer, not a list of chunks: sent a byte a chunk, 32 MiB would be as many objects.
        let body: Buffer = Buffer.allocUnsafe(Math.min(announced || FIRST_ALLOCATION, MAX_FIRST_ALLOCATION));
        const settle = (): void => {
          clearTimeout(idle);
          givingUp.delete(fail);
          pendingBytes -= progress.bytes;
          request.off("data", onData).off("end", onEnd).off("close", onClose);
        };
        const fail = (error: Error): void => {
          settle();
          request.pause();
          reject(error);
        };
        const onData = (chunk: Buffer): void => {
          const before = progress.bytes;
          progress.bytes += chunk.length;
          pendingBytes += chunk.length;
          if (progress.bytes > maxBytes) fail(tooLarge());
          else if (pendingBytes > maxPendingBytes) fail(tooMuchAtOnce());
          else {
            if (progress.bytes > body.length) body = grown(body, before, Math.max(2 * body.length, progress.bytes));
            body.set(chunk, before);
            idle.refresh();
          }
        };
        const onEnd = (): void => {
          settle();
          resolve(body.subarray(0, progress.bytes));
        };
        const onClose = (): void => fail(new ClientGone());
        const idle = setTimeout(() => fail(stalled(idleTimeoutMs)), idleTimeoutMs);
        givingUp.add(fail);
        // 'close' follows an 'error' and tells enough; an 'error' that nobody hears would end the process.
        request.on("error", () => {});
        request.on("data", onData).on("end", onEnd).on("close", onClose);
      });
    },
    close() {
      isClosed = true;
      for (const fail of givingUp) fail(shuttingDown());
    },
  };
}

function grown(buffer: Buffer, used: number, size: number): Buffer {
  const larger = Buffer.allocUnsafe(size);
  larger.set(buffer.subarray(0, used));
  return larger;
}

function shuttingDown(): ServiceError {
  return new ServiceError("SHUTTING_DOWN", "The service is shutting down; send the batch again.");
}

function tooMuchAtOnce(): ServiceError {
  return new ServiceError("LIMIT_EXCEEDED", "Too many large bodies are arriving at once; send the batch again.");
}

function stalled(idleTimeoutMs: number): ServiceError {
  return new ServiceError(
    "REQUEST_TIMEOUT",
    `The body stopped arriving: nothing came for ${idleTimeoutMs / 1_000} seconds.`,
    { expected: "a body that arrives without such pauses" },
  );
}
