import type { Client } from "graphql-ws";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Gap } from "../../client/gap.ts";
import { createResumingClient } from "../../client/resuming-client.ts";
import type { Environment } from "../../src/config.ts";
import { batchOf } from "../harness/fault-publisher.ts";
import { startFaultInstance } from "../harness/fault-scene.ts";
import { Listener } from "../harness/listener.ts";
import { post, rawEvent, unsignedForm } from "../harness/mandrill-post.ts";
import { createProxy } from "../harness/proxy.ts";
import { startRedisServer } from "../harness/redis-server.ts";
import { connectSocket, type SocketClient } from "../harness/socket-client.ts";

const RETENTION = 50;
const WANTED = "wanted@example.com";
const LISTEN = "subscription ($email: String) { eventReceived(email: $email) { messageId } }";

async function redis(): Promise<Environment> {
  const server = await startRedisServer();
  onTestFinished(() => server.stop());
  return { REDIS_URL: server.url };
}

/** Resolves when a ping tells that the one operation has been served up to this cursor. */
function untilServedTo(client: Client, cursor: string): Promise<void> {
  return new Promise((resolve) => {
    const stop = client.on("ping", (_received, payload) => {
      if (!Object.values(payload?.positions ?? {}).includes(cursor)) return;
      stop();
      resolve();
    });
  });
}

async function headOf(client: SocketClient): Promise<string> {
  client.subscribe("head", "{ recentEvents(first: 1) { head } }");
  const { payload } = await client.next("head");
  await client.next("head");
  return payload.data.recentEvents.head;
}

describe.each([
  ["SQLite", async (): Promise<Environment> => ({})],
  ["Redis", redis],
])("a filter that matches nothing while the log is trimmed past its start, on %s", (_, logOf) => {
  it("is no gap for a client that resumes, cut off again and again", async () => {
    const env = { RETENTION_EVENTS: `${RETENTION}`, RECENT_ENTRIES: "10", PING_SECONDS: "0.05" };
    const service = await startFaultInstance({ ...env, ...(await logOf()) });
    await using proxy = await createProxy(Number(new URL(service.url).port));
    await using asking = await connectSocket(service.socketUrl);
    const start = await headOf(asking);
    const gaps: Gap[] = [];
    const client = createResumingClient({
      url: `ws://127.0.0.1:${proxy.port}/graphql`,
      onGap: (gap) => void gaps.push(gap),
      retryWait: () => Promise.resolve(),
    });
    onTestFinished(() => client.dispose());
    const listener = new Listener<{ data?: { eventReceived: { messageId: string } } | null | undefined }>();
    client.subscribe({ query: LISTEN, variables: { email: WANTED } }, listener);

    await untilServedTo(client, start);

    for (let round = 0; round < 2; round++) {
      const ids = Array.from({ length: 2 * RETENTION }, (_, i) => `unwanted-${round}-${i}`);
      expect((await post(service.url, batchOf(ids))).status).toBe(200);
      const head = await headOf(asking);
      await untilServedTo(client, head);
      const reconnected = proxy.connected();
      expect(proxy.cutAll()).toBe(1);
      await reconnected;
      // Taken up again at the place that the ping told; posted earlier, the next events would trim that one too.
      await untilServedTo(client, head);
    }
    const wanted = rawEvent("open", { _id: "wanted", msg: { _id: "wanted", email: WANTED } });
    expect((await post(service.url, unsignedForm([wanted]))).status).toBe(200);
    await listener.has(1);
    expect(listener.results).toEqual([expect.objectContaining({ data: { eventReceived: { messageId: "wanted" } } })]);
    expect(gaps).toEqual([]);

    asking.subscribe("from now on", LISTEN, { extensions: { after: await headOf(asking) } });
    asking.subscribe("from the start", LISTEN, { extensions: { after: start } });
    const { type, payload } = await asking.next("from the start");
    expect([type, payload[0].extensions.code]).toEqual(["error", "CURSOR_EXPIRED"]);
    // Its socket and the other operation go on.
    expect((await post(service.url, batchOf(["after the gap"]))).status).toBe(200);
    expect((await asking.next("from now on")).payload.data.eventReceived.messageId).toBe("after the gap");
  });
});
