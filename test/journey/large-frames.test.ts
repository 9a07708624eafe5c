import { createClient } from "graphql-sse";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type RunningService, runService } from "../harness/service.ts";
import { connectSocket } from "../harness/socket-client.ts";

const QUERY = "subscription ($after: Cursor) { eventReceived(after: $after) { messageId raw } }";
const IDS = Array.from({ length: 100 }, (_, index) => `large-${index}`);

let service: RunningService;
let head: string;
// Every second event is larger than all that may wait for a reader.
beforeAll(async () => {
  service = await runService({ env: { MAX_BUFFERED_BYTES: "2048" } });
  await using client = await connectSocket(service.socketUrl);
  head = client.ack.head;
  const events = IDS.map((_id, index) => ({
    event: "open",
    msg: { _id },
    padding: "x".repeat(index % 2 === 0 ? 10 : 9_000),
  }));
  const answer = await fetch(`${service.url}/mandrill`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(events),
  });
  expect(answer.status).toBe(200);
});
afterAll(() => service.stop());

it("a replay of events larger than the bound goes on over a WebSocket", async () => {
  await using client = await connectSocket(service.socketUrl);
  client.subscribe("1", QUERY, { variables: { after: head } });
  for (const id of IDS) expect((await client.next("1")).payload.data.eventReceived.messageId).toBe(id);
});

it("a replay of events larger than the bound goes on over Server-Sent Events", async () => {
  const client = createClient({ url: `${service.url}/graphql`, retryAttempts: 0 });
  const results = client.iterate<{ eventReceived: { messageId: string } }>({
    query: QUERY,
    variables: { after: head },
  });
  for (const id of IDS) expect((await results.next()).value?.data?.eventReceived.messageId).toBe(id);
  client.dispose();
});
