import { expect, it } from "vitest";
import { openEventStream } from "../harness/event-stream-client.ts";
import { post, rawEvent, unsignedForm } from "../harness/mandrill-post.ts";
import { runService } from "../harness/service.ts";
import { connectSocket } from "../harness/socket-client.ts";

/** More than the kernel takes for a reader that takes nothing. */
const BATCHES = 40;
const BATCH_CHARACTERS = 500_000;

it("cuts a reader of GraphQL's event stream that does not take what waits for STALL_SECONDS", async () => {
  await using service = await runService({ env: { STALL_SECONDS: "1" } });
  await using client = await connectSocket(service.socketUrl);
  for (let number = 0; number < BATCHES; number += 1) {
    const event = rawEvent("open", { number, padding: "x".repeat(BATCH_CHARACTERS) });
    expect((await post(service.url, unsignedForm([event]))).status).toBe(200);
  }
  const query = `subscription { eventReceived(after: "${client.ack.head}") { id raw } }`;
  using stream = await openEventStream(`${service.url}/graphql?query=${encodeURIComponent(query)}`);
  stream.pause();
  expect(service.counts().subscribers).toBe(1);
  await expect.poll(() => service.counts().subscribers).toBe(0);
});
