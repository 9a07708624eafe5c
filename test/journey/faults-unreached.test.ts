import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocket as Socket } from "ws";
import { createResumingClient } from "../../client/resuming-client.ts";
import { batchOf, postUntilTaken } from "../harness/fault-publisher.ts";
import { startRedisServer } from "../harness/redis-server.ts";
import { runService } from "../harness/service.ts";
import { connectSocket } from "../harness/socket-client.ts";

describe("a Redis that has not answered since the service was started", () => {
  it("does not keep sockets waiting: they are told to try again, and served once it answers", async () => {
    const redis = await startRedisServer();
    onTestFinished(() => redis.stop());
    await redis.kill();
    const service = await runService({ env: { REDIS_URL: redis.url, AUTHENTICATION_SECONDS: "0.2" } });
    onTestFinished(() => service.stop());
    const early = await Promise.all(
      [1, 2, 3].map(async () => {
        const client = await connectSocket(service.socketUrl, { init: false });
        client.send({ type: "connection_init" });
        return client;
      }),
    );
    for (const { closed } of early) {
      const reason = "The event log has not answered since this service was started.";
      expect(await closed).toEqual({ code: 1013, reason });
    }
    await expect.poll(() => service.counts().sockets, { interval: 5 }).toBe(0);

    // 1013 is one that a client comes back from by itself.
    const codes: number[] = [];
    const heard = Promise.withResolvers<unknown>();
    const client = createResumingClient({ url: service.socketUrl, webSocketImpl: Socket, retryWait: async () => {} });
    onTestFinished(() => void client.dispose());
    client.on("closed", (event) => codes.push((event as CloseEvent).code));
    const refused = Promise.withResolvers<void>();
    client.on("closed", () => refused.resolve());
    client.subscribe<{ eventReceived: { messageId: string } }>(
      { query: "subscription { eventReceived { messageId } }" },
      { next: ({ data }) => heard.resolve(data?.eventReceived.messageId), error: heard.reject, complete: () => {} },
    );
    await refused.promise;
    expect(codes).toEqual([1013]);
    await redis.restart();
    await new Promise<void>((resolve) => client.on("connected", () => resolve()));
    await postUntilTaken(service.url, batchOf(["at last"]));
    expect(await heard.promise).toBe("at last");
  });
});
