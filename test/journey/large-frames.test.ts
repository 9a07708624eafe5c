import { createClient } from "graphql-sse";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openEventStream } from "../harness/event-stream-client.ts";
import { jsonBatch, post } from "../harness/mandrill-post.ts";
import { type RunningService, runService } from "../harness/service.ts";
import { connectSocket } from "../harness/socket-client.ts";

const QUERY = "subscription ($after: Cursor) { eventReceived(after: $after) { messageId raw } }";
const TAGGED =
  "subscription ($tag: String, $after: Cursor) { eventReceived(tag: $tag, after: $after) { messageId raw } }";
/** Bytes of an event that is larger than all that may wait. */
const LARGE = 9_000;
const IDS = Array.from({ length: 100 }, (_, index) => `large-${index}`);

let service: RunningService;
let head: string;
// Every second event is larger than all that may wait for a reader.
beforeAll(async () => {
  service = await runService({ env: { MAX_BUFFERED_BYTES: "2048" } });
  await using client = await connectSocket(service.socketUrl);
  head = client.ack.head;
  await publish(IDS.map((id, index) => eventOf(id, index % 2 === 0 ? 10 : LARGE)));
});
afterAll(() => service.stop());

function eventOf(messageId: string, bytes: number, tags: readonly string[] = []): object {
  return { event: "open", msg: { _id: messageId, tags }, padding: "x".repeat(bytes) };
}

async function publish(events: readonly object[]): Promise<void> {
  expect((await post(service.url, jsonBatch(events))).status).toBe(200);
}

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

it("a live event larger than the bound reaches whoever reads, on every transport, and small ones after it", async () => {
  await using socket = await connectSocket(service.socketUrl);
  const after = socket.ack.head;
  socket.subscribe("1", QUERY, { variables: { after } });
  const distinct = createClient({ url: `${service.url}/graphql`, retryAttempts: 0 });
  const results = distinct.iterate<{ eventReceived: { messageId: string } }>({ query: QUERY, variables: { after } });
  using stream = await openEventStream(`${service.url}/events?raw=1&after=${after}`);
  // Live from the first of them on.
  for (const [id, bytes] of [
    ["small-1", 10],
    ["larger-1", LARGE],
    ["larger-2", 100 * LARGE],
    ["small-2", 10],
  ] as const) {
    await publish([eventOf(id, bytes)]);
    expect((await socket.next("1")).payload.data.eventReceived.messageId).toBe(id);
    expect((await results.next()).value?.data?.eventReceived.messageId).toBe(id);
    expect((await stream.nextEvent()).data.messageId).toBe(id);
  }
  distinct.dispose();
});

it("an operation that has lagged is told so, and leaves its socket and the others alive", async () => {
  await using client = await connectSocket(service.socketUrl);
  const listen = (id: string, tag: string): void =>
    client.subscribe(id, TAGGED, { variables: { after: client.ack.head, tag } });
  listen("slow", "much");
  listen("sibling", "little");
  await publish([eventOf("first", 10, ["much", "little"])]);
  for (const id of ["slow", "sibling"]) await client.next(id);
  const { subscribers } = service.counts();
  client.socket.pause();
  const flood: string[] = [];
  while (service.counts().subscribers === subscribers) {
    flood.push(`flood-${flood.length}`);
    await publish([eventOf(flood.at(-1) as string, 100 * LARGE, ["much"])]);
  }
  client.socket.resume();
  let message = await client.next("slow");
  const got: string[] = [];
  for (; message.type === "next"; message = await client.next("slow")) {
    got.push(message.payload.data.eventReceived.messageId);
  }
  expect([message.type, message.payload[0].extensions.code]).toEqual(["error", "SUBSCRIBER_LAGGED"]);
  expect(got).toEqual(flood.slice(0, got.length));
  client.subscribe("resumed", TAGGED, {
    variables: { after: message.payload[0].extensions.after, tag: "much" },
  });
  for (const id of flood.slice(got.length)) {
    expect((await client.next("resumed")).payload.data.eventReceived.messageId).toBe(id);
  }
  await publish([eventOf("later", 10, ["little"])]);
  expect((await client.next("sibling")).payload.data.eventReceived.messageId).toBe("later");
});
