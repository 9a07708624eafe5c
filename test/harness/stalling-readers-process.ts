/**
 * The process of stalling-readers.ts: a WebSocket on each socket that it was given, commands by IPC, one at a time.
 */
import { Socket } from "node:net";
import { GRAPHQL_TRANSPORT_WS_PROTOCOL } from "graphql-ws";
import { WebSocket } from "ws";

export type ReaderCommand =
  | { readonly act: "stop" | "go on" | "report" }
  | { readonly act: "reach"; readonly number: number };

export interface ReaderReport {
  readonly lagged: number;
  /** The first thing that was not as it should be. */
  readonly problem: string | null;
}

let lagged = 0;
let problem: string | null = null;
let settle: () => void = () => {};

function fail(reason: string): void {
  problem ??= reason;
  settle();
}

const NEXT = /"type":"next","payload":{"data":{"eventReceived":{"messageId":"event-(\d+)"/;
const CURSOR = /"extensions":{"cursor":"([^"]+)"}}}$/;

class Reader {
  readonly acknowledged = Promise.withResolvers<void>();
  newest: number;
  readonly #socket: WebSocket;
  readonly #query: string;
  #cursor = "";
  #operation = 0;

  constructor(descriptor: number, query: string, first: number) {
    this.newest = first - 1;
    this.#query = query;
    this.#socket = new WebSocket("ws://127.0.0.1/graphql", GRAPHQL_TRANSPORT_WS_PROTOCOL, {
      createConnection: () => new Socket({ fd: descriptor }),
    });
    this.#socket.on("open", () => this.#send({ type: "connection_init" }));
    this.#socket.on("message", (data: Buffer) => {
      // The frames are large and many: of a result only both ends are looked at.
      const next = NEXT.exec(data.toString("latin1", 0, 200));
      const cursor = CURSOR.exec(data.toString("latin1", data.length - 200));
      if (next !== null && cursor !== null) this.#event(Number(next[1]), cursor[1] as string);
      else this.#receive(JSON.parse(String(data)));
    });
    this.#socket.on("error", (error) => fail(`a socket failed: ${error.message}`));
    this.#socket.on("close", (code, reason) => fail(`a socket was closed: ${code} ${reason}`));
  }

  stop(): void {
    this.#socket.pause();
  }

  goOn(): void {
    this.#socket.resume();
  }

  // biome-ignore lint/suspicious/noExplicitAny: a message of the protocol
  #receive({ type, payload }: any): void {
    if (type === "ping") this.#send({ type: "pong" });
    if (type === "connection_ack") {
      this.#subscribe(payload.head);
      this.acknowledged.resolve();
    }
    if (type === "error") this.#ended(payload[0].extensions);
  }

  #event(number: number, cursor: string): void {
    if (number !== this.newest + 1) fail(`event ${number} came after event ${this.newest}`);
    this.newest += 1;
    this.#cursor = cursor;
    settle();
  }

  #ended({ code, after }: { readonly code: string; readonly after: string }): void {
    if (code !== "SUBSCRIBER_LAGGED") fail(`a subscription ended with ${code}`);
    if (after !== this.#cursor) fail("a subscription ended with another place than its last event's");
    lagged += 1;
    this.#subscribe(after);
  }

  #subscribe(after: string): void {
    this.#operation += 1;
    const payload = { query: this.#query, extensions: { after } };
    this.#send({ id: String(this.#operation), type: "subscribe", payload });
  }

  #send(message: object): void {
    this.#socket.send(JSON.stringify(message));
  }
}

const readers = (process.env.NARROW_SOCKETS ?? "")
  .split(",")
  .map((descriptor) => new Reader(Number(descriptor), process.argv[2] as string, Number(process.argv[3])));

function report(): void {
  process.send?.({ lagged, problem } satisfies ReaderReport);
}

process.on("message", (command: ReaderCommand) => {
  if (command.act === "stop") for (const reader of readers) reader.stop();
  if (command.act === "go on") for (const reader of readers) reader.goOn();
  if (command.act !== "reach") {
    report();
    return;
  }
  settle = () => {
    if (problem === null && readers.some(({ newest }) => newest < command.number)) return;
    settle = () => {};
    report();
  };
  settle();
});
process.on("disconnect", () => process.exit());

await Promise.all(readers.map(({ acknowledged }) => acknowledged.promise));
report();
