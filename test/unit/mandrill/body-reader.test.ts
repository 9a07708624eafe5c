import type { IncomingMessage } from "node:http";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ClientGone, createBodyReader } from "../../../src/mandrill/body-reader.ts";

/** A request whose body the test writes. */
function requestOf(headers: Record<string, string> = {}): PassThrough & IncomingMessage {
  return Object.assign(new PassThrough(), { headers }) as unknown as PassThrough & IncomingMessage;
}

const tick = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

describe("createBodyReader", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  });
  afterEach(() => {
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  const reader = (options = {}) => createBodyReader({ maxBytes: 100_000, idleTimeoutMs: 1_000, ...options });

  it("joins what comes in pieces, whatever was announced", async () => {
    for (const headers of [{}, { "content-length": "1" }, { "content-length": "60000" }]) {
      const request = requestOf(headers);
      const progress = { bytes: 0 };
      const read = reader().read(request, progress);
      for (let i = 0; i < 600; i++) request.write(String(i % 10).repeat(100));
      request.end();
      const body = await read;
      expect(body.toString()).toBe(Array.from({ length: 600 }, (_, i) => String(i % 10).repeat(100)).join(""));
      expect(progress.bytes).toBe(60_000);
    }
  });

  it("waits as long as something comes", async () => {
    const request = requestOf();
    const read = reader().read(request, { bytes: 0 });
    for (let i = 0; i < 10; i++) {
      request.write("a");
      await vi.advanceTimersByTimeAsync(999);
    }
    request.end();
    expect((await read).toString()).toBe("aaaaaaaaaa");
  });

  it("gives up when nothing has come for a while", async () => {
    const request = requestOf();
    const read = reader().read(request, { bytes: 0 });
    const refused = expect(read).rejects.toMatchObject({
      code: "REQUEST_TIMEOUT",
      message: expect.stringContaining("1 second"),
    });
    request.write("a");
    await vi.advanceTimersByTimeAsync(1_000);
    await refused;
  });

  it("rejects when the client has gone", async () => {
    const request = requestOf();
    const read = expect(reader().read(request, { bytes: 0 })).rejects.toThrow(ClientGone);
    request.destroy(new Error("ECONNRESET"));
    await read;
  });

  it("holds no more unfinished bodies than memory allows, and forgets those that have ended", async () => {
    const bodies = reader({ maxPendingBytes: 1_000 });
    const start = (): [PassThrough, Promise<Buffer>] => {
      const request = requestOf();
      const read = bodies.read(request, { bytes: 0 });
      request.write("a".repeat(600));
      return [request, read];
    };
    const [first, firstRead] = start();
    await tick();
    const [, secondRead] = start();
    await expect(secondRead).rejects.toMatchObject({ code: "LIMIT_EXCEEDED" });
    first.end();
    expect(await firstRead).toHaveLength(600);
    const [third, thirdRead] = start();
    third.end();
    expect(await thirdRead).toHaveLength(600);
  });

  it("gives up what is still arriving when it is closed, and reads nothing more", async () => {
    const bodies = reader();
    const reading = expect(bodies.read(requestOf(), { bytes: 0 })).rejects.toMatchObject({ code: "SHUTTING_DOWN" });
    bodies.close();
    await reading;
    await expect(bodies.read(requestOf(), { bytes: 0 })).rejects.toMatchObject({ code: "SHUTTING_DOWN" });
  });
});
