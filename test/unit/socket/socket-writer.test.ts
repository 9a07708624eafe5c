import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { UNSCOPED } from "../../../src/access/scope.ts";
import { createStays, type Stays } from "../../../src/access/stay.ts";
import type { ServiceError } from "../../../src/error.ts";
import { createFlushQueue, SocketWriter } from "../../../src/socket/socket-writer.ts";

const MESSAGE = '{"type":"pong"}';
const revoked = new Set<string>();
let stays: Stays;
let socket: PassThrough;
let writer: SocketWriter;

beforeEach(() => {
  revoked.clear();
  stays = createStays((id) => revoked.has(id));
  socket = new PassThrough();
  writer = new SocketWriter(socket, createFlushQueue(1_000_000));
});
afterEach(() => stays.stop());

/** A stay that can be ended, and what it ended with. */
function begin(): ServiceError[] {
  const ends: ServiceError[] = [];
  const viewer = { scope: UNSCOPED, expiresAt: Number.POSITIVE_INFINITY, subject: "s", tokenId: "t" };
  writer.stay = stays.begin(viewer, (error) => {
    ends.push(error);
    writer.cut();
  });
  return ends;
}

describe("a socket's writer", () => {
  it("asks its peer's stay when it writes, and not when something was queued", () => {
    const ends = begin();
    writer.text(MESSAGE);
    revoked.add("t");
    expect(ends).toEqual([]);
    writer.flush();
    expect(ends).toEqual([expect.objectContaining({ message: "Token revoked" })]);
    expect(socket.read()).toBeNull();
  });

  it("takes nothing more once it was cut", () => {
    writer.text(MESSAGE);
    expect(writer.cut()).toBe(true);
    writer.text(MESSAGE);
    writer.text("{}");
    writer.flush();
    expect([writer.buffered, socket.read()]).toEqual([0, null]);
  });

  it("writes nothing to a socket that was ended", () => {
    socket.end();
    writer.text(MESSAGE);
    writer.flush();
    expect([socket.errored, socket.read()]).toEqual([null, null]);
  });

  it("says when it is cut whether the peer has yet to take something", () => {
    socket.destroy();
    socket = new PassThrough({ highWaterMark: 1, transform: () => {} });
    writer = new SocketWriter(socket, createFlushQueue(1_000_000));
    writer.text(MESSAGE);
    writer.flush();
    expect(writer.cut()).toBe(false);
  });

  it("counts beside its bytes what a write takes that has to wait, until the socket has handed it on", async () => {
    socket.destroy();
    const held: (() => void)[] = [];
    socket = new PassThrough({ transform: (_chunk, _encoding, taken) => void held.push(taken) });
    writer = new SocketWriter(socket, createFlushQueue(1_000_000));
    for (let write = 0; write < 4; write += 1) {
      writer.text(MESSAGE);
      writer.flush();
    }
    // The first is being taken, three wait.
    const frame = MESSAGE.length + 2;
    expect(writer.buffered).toBe(4 * frame + 3 * 1_024);
    let isDrained = false;
    void writer.drained().then(() => {
      isDrained = true;
    });
    while (!isDrained) {
      held.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(writer.room).toBe(1_000_000);
  });
});
