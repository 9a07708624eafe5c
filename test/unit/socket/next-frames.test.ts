import { Duplex } from "node:stream";
import { describe, expect, it } from "vitest";
import * as ws from "ws";
import { type Group, Run } from "../../../src/hub/subscriber.ts";
import { queueNextFrames } from "../../../src/socket/next-frames.ts";
import { createFlushQueue, type FrameOwner, SocketWriter } from "../../../src/socket/socket-writer.ts";
import { createEntryMaker } from "../../harness/entries.ts";

/** A socket whose other end parses frames with `ws` itself, or takes nothing while it is stopped. */
class LoopedSocket extends Duplex {
  readonly messages: string[] = [];
  stopped = false;
  writes = 0;
  #held: (() => void) | null = null;
  // Exported by ws and missing in its types.
  readonly #receiver = new (ws as unknown as { Receiver: new (options: object) => NodeJS.WritableStream }).Receiver({
    isServer: false,
  });

  constructor() {
    super({ writableHighWaterMark: 1_000 });
    this.#receiver.on("message", (data: Buffer) => this.messages.push(String(data)));
  }
  override _read(): void {}
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.writes += 1;
    if (!this.stopped) {
      this.#receiver.write(chunk, done);
      return;
    }
    this.#held = () => this.#receiver.write(chunk, done);
  }
  release(): void {
    this.stopped = false;
    this.#held?.();
  }
}

const payloads: Group = {
  encode: (entries) => entries.map(({ number }) => Buffer.from(`{"data":{"n":${number},"x":"${"é".repeat(number)}"}}`)),
};
const repeating = (letter: string, length: number): Group => ({
  encode: (entries) => entries.map(() => Buffer.from(JSON.stringify(letter.repeat(length)))),
});
const operation = (text: string): FrameOwner => {
  const id = JSON.stringify(text).slice(1, -1);
  return { id, idBytes: Buffer.byteLength(id), closed: false };
};
const QUEUED = "recent";
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

function setUp(maxBufferedBytes = 1e6) {
  const socket = new LoopedSocket();
  return { socket, writer: new SocketWriter(socket, createFlushQueue(maxBufferedBytes)) };
}

describe("next frames", () => {
  it("are well-formed messages for any payload length and any id, in order", async () => {
    const { socket, writer } = setUp();
    const maker = createEntryMaker();
    const run = new Run(payloads, [...maker.run(200), ...Array.from({ length: 3 }, () => maker.next())], QUEUED);
    const ids = ["1", 'quote " and \\ back', "é ü 語", "x".repeat(128)];
    for (const each of ids) expect(queueNextFrames(writer, operation(each), run, 0)).toBe(203);
    await settled();
    expect(socket.messages).toHaveLength(203 * ids.length);
    socket.messages.forEach((text, index) => {
      const number = (index % 203) + 1;
      const expected = {
        id: ids[Math.floor(index / 203)],
        type: "next",
        payload: { data: { n: number, x: "é".repeat(number) } },
      };
      expect(JSON.parse(text)).toEqual(expected);
    });
  });

  it("use the 64-bit length from 65,536 bytes on", async () => {
    const { socket, writer } = setUp();
    const group = repeating("y", 70_000);
    queueNextFrames(writer, operation("a"), new Run(group, [createEntryMaker().next()], QUEUED), 0);
    await settled();
    expect(JSON.parse(socket.messages[0]!).payload).toHaveLength(70_000);
  });

  it("stop at the bound, and go on where they stopped", async () => {
    const { socket, writer } = setUp(2_000);
    socket.stopped = true;
    const run = new Run(payloads, createEntryMaker().run(100), QUEUED);
    const taken = queueNextFrames(writer, operation("a"), run, 0);
    expect(taken).toBeGreaterThan(5);
    expect(taken).toBeLessThan(100);
    expect(writer.buffered).toBeLessThanOrEqual(2_000);
    expect(queueNextFrames(writer, operation("a"), run, taken)).toBe(taken);
    socket.release();
    await settled();
    let from = taken;
    while (from < 100) {
      from = queueNextFrames(writer, operation("a"), run, from);
      await settled();
    }
    expect(socket.messages.map((text) => JSON.parse(text).payload.data.n)).toEqual(
      run.entries.map(({ number }) => number),
    );
  });

  it("let one frame larger than the bound through where nothing waits, and one only", () => {
    const { socket, writer } = setUp(100);
    socket.stopped = true;
    const group = repeating("z", 5_000);
    const run = new Run(group, createEntryMaker().run(3), QUEUED);
    expect(queueNextFrames(writer, operation("a"), run, 0)).toBe(1);
    expect(queueNextFrames(writer, operation("a"), run, 1)).toBe(1);
  });

  it("never overtake the library's messages, nor are overtaken", async () => {
    const { socket, writer } = setUp();
    const [first, second] = createEntryMaker().run(2);
    writer.text('{"type":"connection_ack"}');
    queueNextFrames(writer, operation("a"), new Run(payloads, [first!], QUEUED), 0);
    writer.text('{"type":"pong"}');
    queueNextFrames(writer, operation("a"), new Run(payloads, [second!], QUEUED), 0);
    writer.text('{"id":"a","type":"complete"}');
    await settled();
    expect(socket.messages.map((text) => JSON.parse(text).type)).toEqual([
      "connection_ack",
      "next",
      "pong",
      "next",
      "complete",
    ]);
  });

  it("are written out of one template, which is not touched while a socket still needs it", async () => {
    const run = new Run(payloads, createEntryMaker().run(150), QUEUED);
    const peers = Array.from({ length: 5 }, () => setUp());
    for (const [index, { socket }] of peers.entries()) socket.stopped = index % 2 === 0;
    for (const [index, { writer }] of peers.entries())
      expect(queueNextFrames(writer, operation(`op-${index}`), run, 0)).toBe(150);
    for (const { socket } of peers) socket.release();
    await settled();
    for (const [index, { socket }] of peers.entries()) {
      const messages = socket.messages.map((text) => JSON.parse(text));
      expect(messages.map((message) => message.payload.data.n)).toEqual(run.entries.map(({ number }) => number));
      expect(new Set(messages.map((message) => message.id))).toEqual(new Set([`op-${index}`]));
    }
  });

  it("leave at once where nothing else is to come, and together with what others write in the turn", async () => {
    const live = new Run(payloads, createEntryMaker().run(2), "live");
    const { socket, writer } = setUp();
    writer.operations = 1;
    queueNextFrames(writer, operation("alone"), live, 0);
    expect(socket.messages).toHaveLength(2);
    writer.text('{"type":"pong"}');
    queueNextFrames(writer, operation("alone"), live, 0);
    expect([socket.messages.length, socket.writes]).toEqual([2, 1]);
    writer.flush();
    writer.operations = 2;
    for (const id of ["one", "other"]) queueNextFrames(writer, operation(id), live, 0);
    writer.flush();
    await settled();
    expect(socket.messages.map((text) => JSON.parse(text).id ?? "pong")).toEqual([
      ...["alone", "alone", "pong", "alone", "alone"],
      ...["one", "one", "other", "other"],
    ]);
    expect(socket.writes).toBe(3);
  });

  it("are dropped while queued when their operation has been completed", async () => {
    const { socket, writer } = setUp();
    const [first] = createEntryMaker().run(1);
    const gone = operation("gone");
    queueNextFrames(writer, gone, new Run(payloads, [first!], QUEUED), 0);
    queueNextFrames(writer, operation("stays"), new Run(payloads, [first!], QUEUED), 0);
    Object.assign(gone, { closed: true });
    await settled();
    expect(socket.messages.map((text) => JSON.parse(text).id)).toEqual(["stays"]);
  });
});
