import { expect, it } from "vitest";
import { createProxy } from "../harness/proxy.ts";
import { spawnService } from "../harness/service-process.ts";
import { connectSocket } from "../harness/socket-client.ts";

/** What a peer that is gone without a word may go unnoticed, with every setting at its default. Milliseconds. */
const FOUND_WITHIN = 35_000;
const QUERY = "subscription { eventReceived { messageId } }";

it("a peer that is gone without a word is found by ping within 35 seconds, and one that only has nothing to say stays", async () => {
  await using service = await spawnService();
  let swallows = false;
  await using proxy = await createProxy(Number(new URL(service.url).port), { pass: () => !swallows });
  await using quiet = await connectSocket(service.socketUrl);
  quiet.subscribe("1", QUERY, { extensions: { after: quiet.ack.head } });
  await using silent = await connectSocket(`ws://127.0.0.1:${proxy.port}/graphql`);
  silent.subscribe("1", QUERY);

  swallows = true;
  const begun = performance.now();
  // Only the service can end it: nothing of either side passes the proxy any more, an end does.
  await silent.closed;
  expect(performance.now() - begun).toBeLessThan(FOUND_WITHIN);

  // The quiet one has been pinged, and has answered.
  expect((await quiet.nextOfType("ping")).payload.positions).toEqual({ 1: quiet.ack.head });
  const answer = await fetch(`${service.url}/mandrill`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify([{ event: "open", msg: { _id: "after" } }]),
  });
  expect(answer.status).toBe(200);
  expect((await quiet.next("1")).payload.data.eventReceived.messageId).toBe("after");
}, 60_000);
