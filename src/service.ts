import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "pino";
import { UNSCOPED } from "./access/scope.ts";
import type { Config, EventLogConfig } from "./config.ts";
import type { EventLog, LogLimits } from "./event-log/event-log.ts";
import { openRedisEventLog } from "./event-log/redis/redis-event-log.ts";
import { openSqliteEventLog } from "./event-log/sqlite/sqlite-event-log.ts";
import { createDocuments } from "./graphql/documents.ts";
import { createEventSubscriptions } from "./graphql/event-subscription.ts";
import { createGroups } from "./graphql/group.ts";
import { presentError } from "./graphql/present-error.ts";
import { schema } from "./graphql/schema.ts";
import { createGraphiql } from "./http/graphiql.ts";
import { createGraphqlEndpoint } from "./http/graphql-endpoint.ts";
import { createHealth } from "./http/health.ts";
import { createHttpServer } from "./http/server.ts";
import { createHub } from "./hub/hub.ts";
import { createWebhook } from "./mandrill/webhook.ts";
import { createGraphqlSockets } from "./socket/graphql-socket.ts";

/** Bytes of stored events that the feed keeps in memory for those who reconnect (design: decision 4). */
const RECENT_BYTES = 64 * 1024 * 1024;
/** How often what is too old is trimmed. Milliseconds. */
const TRIM_INTERVAL = 60_000;
/** Part of the shutdown window over which sockets are closed; the rest is for their answers. */
const SPREAD = 0.8;

export interface Service {
  /** Where it listens, e.g. `http://127.0.0.1:4000`. */
  readonly url: string;
  /** Resolves when everything under way has been answered and everything is released. */
  stop(): Promise<void>;
}

/** Puts the service together and starts it. Rejects where it cannot listen or its log's file cannot be opened. */
export async function startService(config: Config, logger: Logger): Promise<Service> {
  const eventLog = await openEventLog(config.eventLog, config.limits, logger);
  const hub = createHub({
    eventLog,
    recentEntries: { maxEntries: config.feed.recentEntries, maxBytes: RECENT_BYTES },
    logger,
  });
  const present = (error: unknown) => presentError(error, { maskUnexpected: config.production, logger });
  const groups = createGroups({ schema, presentError: present });
  const subscriptions = createEventSubscriptions({ schema, hub, groups });
  const shared = {
    schema,
    subscriptions,
    logger,
    contextFor: (scope: typeof UNSCOPED) => ({ scope, eventLog }),
    // Everyone sees everything until access rules are set.
    scopeOf: () => UNSCOPED,
    presentError: present,
    maxBufferedBytes: config.socket.maxBufferedBytes,
  };
  const sockets = createGraphqlSockets({
    ...shared,
    documents: createDocuments(schema),
    hub,
    stallTimeout: config.socket.stallMs,
    pingInterval: config.socket.pingMs,
  });
  const graphiql = createGraphiql();
  const webhook = createWebhook({
    eventLog,
    onAppended: (head) => hub.acknowledged(head),
    authentication: config.webhook,
    maxBodyBytes: config.webhook.maxBodyBytes,
    logger,
  });
  let stopping = false;
  const isStopping = (): boolean => stopping;
  const endpoint = createGraphqlEndpoint({ ...shared, graphiql });
  const server = createHttpServer({
    logger,
    webhook: (request, response) => webhook.handle(request, response),
    graphql: (request, response) => endpoint.handle(request, response),
    graphiql,
    health: createHealth({ eventLog, hub, isStopping }),
    isStopping,
    upgrade: (request, socket, head) => sockets.upgrade(request, socket, head),
  });

  hub.start();
  const trimming = setInterval(() => {
    eventLog.trim().catch((error: unknown) => logger.warn({ err: error }, "the log could not be trimmed"));
  }, TRIM_INTERVAL);
  const release = async (): Promise<void> => {
    clearInterval(trimming);
    await webhook.close();
    await hub.stop();
    await eventLog.close();
  };

  try {
    const url = await server.listen(config.http.port, config.http.host);
    return {
      url,
      async stop() {
        stopping = true;
        const breakOff = setTimeout(() => {
          sockets.destroy();
          server.destroy();
        }, config.shutdownMs);
        // The port stays open meanwhile: `/ready` says 503, and Mandrill is told to come again.
        await Promise.all([sockets.close(config.shutdownMs * SPREAD), webhook.close()]);
        endpoint.close();
        await server.close();
        clearTimeout(breakOff);
        await release();
      },
    };
  } catch (error) {
    await release();
    throw error;
  }
}

async function openEventLog(config: EventLogConfig, limits: LogLimits, logger: Logger): Promise<EventLog> {
  if (config.kind === "redis") {
    return openRedisEventLog({ connection: config.connection, prefix: config.prefix, limits, logger });
  }
  await mkdir(config.dataDir, { recursive: true });
  return openSqliteEventLog({ file: join(config.dataDir, "events.sqlite"), limits, logger });
}
