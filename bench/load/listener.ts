import { randomBytes, randomUUID } from "node:crypto";
import { connect, type Socket } from "node:net";
import type { Arrivals, Place } from "./arrivals.ts";
import { NUMBER_DIGITS } from "./sample-event.ts";

/** Room before the place that is read into: a frame cut off by the end of one read is put there before the next. */
const CARRY_BYTES = 64 * 1024;
const READ_BYTES = 256 * 1024;
/** One for all sockets: a read is looked at before the next begins. */
const space = Buffer.allocUnsafe(CARRY_BYTES + READ_BYTES);
const readInto = space.subarray(CARRY_BYTES);

/** Every frame is checked by length, last byte and number; one in so many is parsed and checked as a whole. */
const PARSE_EVERY = 4_096;

/** RFC 6455, section 5.2. */
const OPCODE = { text: 1, close: 8, ping: 9 } as const;

const ZERO = 0x30;
const QUOTE = 0x22;
const CLOSING_BRACE = 0x7d;

/** What all listeners of a load client have in common. */
export interface Audition {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  /** Whether to speak graphql-transport-ws; otherwise the handshake alone subscribes. */
  readonly graphql: boolean;
  /** Whether the server repeats each socket's own operation id; the bare broadcast has one for all. */
  readonly ownIds: boolean;
  /** What message ids begin with. */
  readonly prefix: string;
  /** Every frame is parsed: for a look at one event, not for a measurement. */
  thorough: boolean;
  /** The round that arrivals belong to; null: they are passed over. */
  arrivals: Arrivals | null;
  readonly fail: (reason: string) => void;
}

/** A `next` message that was parsed as a whole. */
export interface Sample {
  readonly text: string;
  /** `extensions.cursor`; null where the stack has none. */
  readonly cursor: string | null;
}

interface NextMessage {
  readonly id: string;
  readonly type: string;
  readonly payload?: { readonly data?: { readonly [field: string]: object | null } | null; readonly errors?: unknown };
}

/** One subscriber: a raw TCP socket that does the WebSocket handshake by hand, and counts frames. */
export class Listener implements Place {
  position = 0;
  sample: Sample | null = null;
  /** Number of the event that came last, whatever the round; 0 before the first. */
  newest = 0;
  /** Frames with events since it connected. */
  #frames = 0;
  readonly #audition: Audition;
  readonly #id: string;
  readonly #payload: string;
  readonly #socket: Socket;
  readonly #subscribed = Promise.withResolvers<void>();
  #isSubscribed = false;
  #upgraded = false;
  #closing = false;
  #rest: Buffer | null = null;
  /** Bytes of a `next` frame's payload and offset of the event's number in it, both learnt from the first. */
  #size = -1;
  #numberAt = 0;

  /** @param payload of the subscribe message, JSON */
  constructor(audition: Audition, payload: string, id: string = randomUUID()) {
    this.#audition = audition;
    this.#payload = payload;
    this.#id = id;
    this.#socket = connect({
      host: audition.host,
      port: audition.port,
      noDelay: true,
      onread: { buffer: readInto, callback: (bytes) => this.#read(bytes) },
    });
    this.#socket.on("connect", () => this.#socket.write(handshake(audition)));
    this.#socket.on("error", (error) => this.#fail(`a socket failed: ${error.message}`));
    this.#socket.on("close", () => this.#fail("a socket was closed by the server"));
  }

  /** Resolves when the subscribe message is on its way; rejects where it does not come to that. */
  get subscribed(): Promise<void> {
    return this.#subscribed.promise;
  }

  close(): void {
    this.#closing = true;
    this.#socket.destroy();
  }

  #fail(reason: string): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#socket.destroy();
    // Whoever waits for it decides: one who comes back tries again.
    if (this.#isSubscribed) this.#audition.fail(reason);
    else this.#subscribed.reject(new Error(reason));
  }

  /** node:net's callback for a read into the common space; true asks for more. */
  #read(bytes: number): boolean {
    let at = CARRY_BYTES;
    const end = CARRY_BYTES + bytes;
    if (this.#rest !== null) {
      at -= this.#rest.length;
      this.#rest.copy(space, at);
      this.#rest = null;
    }
    if (!this.#upgraded) {
      at = this.#answered(at, end);
      if (at === -1) return true;
    }
    at = this.#wholeFrames(at, end);
    if (at < end) {
      if (end - at > CARRY_BYTES) this.#fail(`a frame is longer than ${CARRY_BYTES} bytes`);
      else this.#rest = Buffer.from(space.subarray(at, end));
    }
    return true;
  }

  /** Reads the answer to the handshake; returns where frames begin, or -1 while it is not complete. */
  #answered(at: number, end: number): number {
    const answer = space.toString("latin1", at, end);
    const length = answer.indexOf("\r\n\r\n");
    if (length === -1) {
      this.#rest = Buffer.from(space.subarray(at, end));
      return -1;
    }
    if (!answer.startsWith("HTTP/1.1 101")) {
      this.#fail(`the handshake was answered with ${answer.slice(0, answer.indexOf("\r\n"))}`);
      return end;
    }
    this.#upgraded = true;
    if (this.#audition.graphql) this.#send('{"type":"connection_init"}');
    else this.#listens();
    return at + length + 4;
  }

  /** Handles the whole frames between two offsets; returns where the first that is not whole begins. */
  #wholeFrames(from: number, end: number): number {
    let at = from;
    const now = performance.now();
    while (end - at >= 2) {
      let size = (space[at + 1] as number) & 0x7f;
      let header = 2;
      if (size === 126) {
        if (end - at < 4) break;
        size = space.readUInt16BE(at + 2);
        header = 4;
      } else if (size === 127) {
        if (end - at < 10) break;
        size = Number(space.readBigUInt64BE(at + 2));
        header = 10;
      }
      const payload = at + header;
      if (payload + size > end) break;
      this.#frame((space[at] as number) & 0x0f, payload, size, now);
      at = payload + size;
    }
    return at;
  }

  #frame(opcode: number, at: number, size: number, now: number): void {
    if (opcode === OPCODE.text) {
      const number = size === this.#size ? this.#numberIn(at) : -1;
      if (number === -1 || this.#frames % PARSE_EVERY === 0 || this.#audition.thorough) this.#message(at, size, now);
      else this.#event(number, now);
    } else if (opcode === OPCODE.ping) {
      this.#socket.write(maskedFrame(10, space.subarray(at, at + size)));
    } else if (opcode === OPCODE.close) {
      const code = size < 2 ? "" : space.readUInt16BE(at);
      this.#fail(`a socket was closed with ${code} ${space.toString("utf8", at + 2, at + size)}`);
    } else {
      this.#fail(`a frame has the opcode ${opcode}`);
    }
  }

  #event(number: number, now: number): void {
    this.#frames += 1;
    this.newest = number;
    this.#audition.arrivals?.arrived(this, number, now);
  }

  /** The number of the event in a frame of the usual length; -1 where it does not look like all the others. */
  #numberIn(at: number): number {
    if (space[at + this.#size - 1] !== CLOSING_BRACE) return -1;
    let number = 0;
    let place = at + this.#numberAt;
    for (const end = place + NUMBER_DIGITS; place < end; place += 1) {
      const digit = (space[place] as number) - ZERO;
      if (digit < 0 || digit > 9) return -1;
      number = 10 * number + digit;
    }
    return space[place] === QUOTE ? number : -1;
  }

  /** Any message, parsed. */
  #message(at: number, size: number, now: number): void {
    const text = space.toString("utf8", at, at + size);
    let message: NextMessage;
    try {
      message = JSON.parse(text) as NextMessage;
    } catch {
      this.#fail(`a message is not JSON: ${text.slice(0, 200)}`);
      return;
    }
    if (message.type === "next") this.#next(message, text, size, now);
    else if (message.type === "ping") this.#send('{"type":"pong"}');
    else if (message.type === "connection_ack") {
      this.#send(`{"id":"${this.#id}","type":"subscribe","payload":${this.#payload}}`);
      this.#listens();
    } else this.#fail(`a subscription ended: ${text.slice(0, 500)}`);
  }

  #next({ id, payload }: NextMessage, text: string, size: number, now: number): void {
    const { prefix, ownIds } = this.#audition;
    const marker = text.indexOf(prefix);
    const [result] = Object.values(payload?.data ?? {});
    if ((ownIds && id !== this.#id) || payload?.errors !== undefined || result == null || marker === -1) {
      this.#fail(`a result is not as it should be: ${text.slice(0, 500)}`);
      return;
    }
    this.#size = size;
    this.#numberAt = Buffer.byteLength(text.slice(0, marker)) + prefix.length;
    const number = Number(text.slice(marker + prefix.length, marker + prefix.length + NUMBER_DIGITS));
    const { extensions } = payload as { extensions?: { cursor?: string } };
    this.sample = { text, cursor: extensions?.cursor ?? null };
    this.#event(number, now);
  }

  #listens(): void {
    this.#isSubscribed = true;
    this.#subscribed.resolve();
  }

  #send(text: string): void {
    this.#socket.write(maskedFrame(OPCODE.text, Buffer.from(text)));
  }
}

function handshake({ host, port, path }: Audition): string {
  return [
    `GET ${path} HTTP/1.1`,
    `Host: ${host}:${port}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}`,
    "Sec-WebSocket-Protocol: graphql-transport-ws",
    "",
    "",
  ].join("\r\n");
}

/** A client's frame must be masked; a key of zeros leaves the payload as it is. */
function maskedFrame(opcode: number, payload: Buffer): Buffer {
  const long = payload.length > 125;
  const header = Buffer.alloc(long ? 8 : 6);
  header[0] = 0x80 | opcode;
  header[1] = 0x80 | (long ? 126 : payload.length);
  if (long) header.writeUInt16BE(payload.length, 2);
  return Buffer.concat([header, payload]);
}
