import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { cutStalledReader } from "../../../src/http/stalled-reader.ts";

/** Milliseconds. */
const STALL = 500;
/** More than the kernel takes for a reader that takes nothing. */
const MUCH = Buffer.alloc(16 * 1024 * 1024);

/** A response whose reader has sent its request and reads nothing yet. */
async function startResponse(): Promise<{ readonly response: ServerResponse; readonly reader: Socket }> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const reader = connect((server.address() as AddressInfo).port, "127.0.0.1");
  reader.pause();
  reader.write("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  const [, response] = (await once(server, "request")) as [unknown, ServerResponse];
  onTestFinished(() => {
    reader.destroy();
    server.closeAllConnections();
    server.close();
  });
  cutStalledReader(response, STALL);
  return { response, reader };
}

it.each(["written", "ended"] as const)("cuts a reader who takes nothing of what was %s", async (how) => {
  const { response } = await startResponse();
  if (how === "written") response.write(MUCH);
  else response.end(MUCH);
  await once(response, "close");
  expect(response.writableFinished).toBe(false);
});

it("keeps no timer for whom it comes too late", async () => {
  const { response, reader } = await startResponse();
  const closed = once(response, "close");
  reader.destroy();
  await closed;
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  const before = timers();
  cutStalledReader(response, STALL);
  expect(timers()).toBe(before);
});

it("cuts nobody for whom nothing waits, however long that is", async () => {
  const idle = await startResponse();
  idle.reader.resume();
  const taken = once(idle.response, "drain");
  idle.response.write(Buffer.alloc(64 * 1024));
  await taken;
  const stalled = await startResponse();
  stalled.response.write(MUCH);
  await once(stalled.response, "close");
  expect(idle.response.destroyed).toBe(false);
});
