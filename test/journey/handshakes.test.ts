import { once } from "node:events";
import { connect } from "node:net";
import { expect, it } from "vitest";
import { spawnService } from "../harness/service-process.ts";

const HANDSHAKES = 1_000;

it("handshakes at a wrong path whose peers are gone at once do no harm", async () => {
  await using service = await spawnService();
  const { hostname, port } = new URL(service.url);
  const handshake =
    `GET /nowhere HTTP/1.1\r\nHost: ${hostname}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
  for (let i = 0; i < HANDSHAKES; i++) {
    const socket = connect(Number(port), hostname);
    socket.on("error", () => {});
    await once(socket, "connect");
    const closed = once(socket, "close");
    socket.write(handshake, () => socket.resetAndDestroy());
    await closed;
  }
  // Still the same process, or nobody would answer.
  expect((await fetch(`${service.url}/health`)).status).toBe(200);
});
