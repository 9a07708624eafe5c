import { EventEmitter } from "node:events";
import type { IncomingMessage } from "node:http";
import { type Duplex, duplexPair } from "node:stream";
import { GRAPHQL_TRANSPORT_WS_PROTOCOL } from "graphql-ws";
import * as ws from "ws";

// Exported by ws and missing in its types.
const { Receiver } = ws as unknown as { Receiver: new (options: object) => NodeJS.WritableStream & EventEmitter };

/** A WebSocket's client end in memory: no port, no kernel, and the server's own handshake and framing. */
export interface MemorySocket {
  /** Sends a text frame. */
  send(text: string): void;
  readonly received: readonly string[];
  /** Resolves when a message of the server fits, or with null when it has closed. */
  until(fits: (message: string) => boolean): Promise<string | null>;
  /** The code by which the server has closed; null while it has not. */
  readonly closedWith: number | null;
  end(): void;
}

/** Opens a socket at `upgrade`, which is what an HTTP server would call. */
export async function openMemorySocket(
  upgrade: (request: IncomingMessage, stream: Duplex, head: Buffer) => void,
): Promise<MemorySocket> {
  const [client, server] = duplexPair();
  const headers = {
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
    "sec-websocket-protocol": GRAPHQL_TRANSPORT_WS_PROTOCOL,
  };
  // `ws` sets these of a TCP socket.
  const stream = Object.assign(server, { setTimeout: () => {}, setNoDelay: () => {} });
  const request = Object.assign(new EventEmitter(), { method: "GET", url: "/graphql", headers, socket: stream });
  const handshaken = new Promise<Buffer>((resolve) => client.once("data", resolve));
  upgrade(request as unknown as IncomingMessage, stream, Buffer.alloc(0));
  const answer = String(await handshaken);
  if (!answer.startsWith("HTTP/1.1 101 ")) throw new Error(`the handshake was refused: ${answer}`);

  const received: string[] = [];
  const waiting = new Set<() => void>();
  let closedWith: number | null = null;
  const changed = (): void => {
    for (const look of [...waiting]) look();
  };
  const receiver = new Receiver({ isServer: false });
  receiver.on("message", (data: Buffer) => {
    received.push(String(data));
    changed();
  });
  receiver.on("conclude", (code: number) => {
    closedWith ??= code;
    // The server waits for our own close frame.
    client.write(frame(0x88, Buffer.alloc(0)));
    changed();
  });
  receiver.on("error", () => client.destroy());
  client.on("data", (chunk: Buffer) => void receiver.write(chunk));
  client.on("error", () => {});
  client.once("close", () => {
    closedWith ??= 1006;
    changed();
  });
  return {
    send: (text) => void client.write(frame(0x81, Buffer.from(text))),
    received,
    until: (fits) =>
      new Promise((resolve) => {
        let seen = 0;
        const look = (): void => {
          for (; seen < received.length; seen += 1) {
            const message = received[seen] as string;
            if (!fits(message)) continue;
            waiting.delete(look);
            resolve(message);
            return;
          }
          if (closedWith === null) return;
          waiting.delete(look);
          resolve(null);
        };
        waiting.add(look);
        look();
      }),
    get closedWith() {
      return closedWith;
    },
    end: () => client.destroy(),
  };
}

/** RFC 6455, section 5.2: a whole frame from a client, its mask all zeros. */
function frame(firstByte: number, payload: Buffer): Buffer {
  const length =
    payload.length < 126 ? [0x80 | payload.length] : [0x80 | 126, payload.length >> 8, payload.length & 0xff];
  return Buffer.concat([Buffer.from([firstByte, ...length, 0, 0, 0, 0]), payload]);
}
