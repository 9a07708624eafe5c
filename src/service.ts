import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Logger } from "pino";
import type { Registry } from "prom-client";
import { createAccess } from "./access/access.ts";
import { createClientAddresses } from "./access/client-address.ts";
import { createConnectionLimit } from "./access/connection-limit.ts";
import { createQuota, type QuotaShare } from "./access/quota.ts";
import type { Scope } from "./access/scope.ts";
import type { Config, EventLogConfig } from "./config.ts";
import type { EventLog, LogLimits } from "./event-log/event-log.ts";
import { openRedisEventLog } from "./event-log/redis/redis-event-log.ts";
import { LOG_FILE, openSqliteEventLog, type SqliteEventLog } from "./event-log/sqlite/sqlite-event-log.ts";
import { createDocuments } from "./graphql/documents.ts";
import { exportEvents } from "./graphql/event-export.ts";
import { createEventSubscriptions } from "./graphql/event-subscription.ts";
import { createGroups } from "./graphql/group.ts";
import { loadPersistedOperations } from "./graphql/persisted-operations.ts";
import { presentError } from "./graphql/present-error.ts";
import { schema } from "./graphql/schema.ts";
import { CONTROL_SOCKET, type ControlSocket, openControlSocket } from "./http/control-socket.ts";
import { createEventsEndpoint } from "./http/events-endpoint.ts";
import { createGate } from "./http/gate.ts";
import { createGraphiql } from "./http/graphiql.ts";
import { createGraphqlEndpoint } from "./http/graphql-endpoint.ts";
import { createGraphqlStream } from "./http/graphql-stream.ts";
import { createHealth } from "./http/health.ts";
import { createMetricsEndpoint } from "./http/metrics-endpoint.ts";
import { createMetricsServer } from "./http/metrics-server.ts";
import { createOriginPolicy } from "./http/origin.ts";
import { createPage } from "./http/page.ts";
import { createPageBuilder } from "./http/page-builder.ts";
import { createHttpServer } from "./http/server.ts";
import { createSessionEndpoint } from "./http/session-endpoint.ts";
import { createTicketsEndpoint } from "./http/tickets-endpoint.ts";
import { createHub } from "./hub/hub.ts";
import { RAW_EVENTS } from "./mandrill/raw-events.ts";
import { createWebhook } from "./mandrill/webhook.ts";
import { createPostToFrame } from "./post-to-frame.ts";
import { lookUpMetrics, watchHub } from "./service-watch.ts";
import { createGraphqlSockets } from "./socket/graphql-socket.ts";
import { createMetrics } from "./telemetry/metrics.ts";
import { createTracing } from "./telemetry/tracing.ts";

/** Bytes of stored events that the feed keeps in memory for those who reconnect (design: decision 4). */
const RECENT_BYTES = 64 * 1024 * 1024;
/** How often what is too old is trimmed. Milliseconds. */
const TRIM_INTERVAL = 60_000;
/** Part of the shutdown window over which sockets are closed; the rest is for their answers. */
const SPREAD = 0.8;
/** Part of it after which whoever has not gone is broken off; the rest is for releasing what the service holds. */
const PATIENCE = 0.9;
/** Where the live page's sources and its builds are, and what makes the one of the other. */
const PROJECT = fileURLToPath(new URL("../", import.meta.url));
const PAGE_BUILDER = fileURLToPath(new URL("./command/build-page.ts", import.meta.url));

export interface Service {
  /** Where it listens, e.g. `http://127.0.0.1:4000`. */
  readonly url: string;
  /** What it holds for its clients now: nothing of it stays when they have gone. */
  counts(): { readonly sockets: number; readonly subscribers: number; readonly groups: number };
  /** Builds the live page where that is needed; without, that is done when somebody first asks for it. Never rejects. */
  preparePage(): Promise<void>;
  /** Resolves when everything under way has been answered and everything is released. */
  stop(): Promise<void>;
}

/** What a worker shares with the others. */
export interface Sharing {
  /** What reads the metrics of all workers. */
  metrics(own: Registry): () => Promise<string>;
  /** What a quota of this name is counted with. */
  quota(name: string): QuotaShare;
}

/**
 * Puts the service together and starts it. Rejects where it cannot listen or its log's file cannot be opened.
 *
 * @param sharing with the other workers. Default: this process is alone
 */
export async function startService(config: Config, logger: Logger, sharing?: Sharing): Promise<Service> {
  const { persistedFile, introspection } = config.documents;
  const persisted = persistedFile === undefined ? undefined : await loadPersistedOperations(persistedFile, schema);
  const eventLog = await openEventLog(config.eventLog, config.limits, logger);
  const access = createAccess({ rules: config.access, eventLog, logger });
  const metrics = createMetrics();
  const tracing = config.telemetry.tracing === null ? null : await createTracing(config.telemetry.tracing);
  const { mandrill_live_post_to_frame_seconds: postToFrameSeconds } = metrics.of;
  const postToFrame = createPostToFrame((milliseconds) => postToFrameSeconds.observe(milliseconds / 1_000));
  const hub = createHub({
    watch: watchHub(metrics, postToFrame, tracing),
    eventLog,
    onErased: (erased) => groups.erase(erased),
    recentEntries: { maxEntries: config.feed.recentEntries, maxBytes: RECENT_BYTES },
    maxReplays: config.feed.maxReplays,
    logger,
  });
  const present = (error: unknown) => {
    const told = presentError(error, { maskUnexpected: config.production, logger });
    // What was told before is presented again where it leaves.
    if (told !== error) metrics.of.mandrill_live_graphql_errors_total.inc({ code: String(told.extensions.code) });
    return told;
  };
  const groups = createGroups({ schema, presentError: present });
  const subscriptions = createEventSubscriptions({ schema, hub, groups });
  const shared = {
    schema,
    documents: createDocuments({ schema, limits: config.documents, introspection, persisted }),
    subscriptions,
    logger,
    contextFor: (scope: Scope) => ({ scope, eventLog, maxFirst: config.documents.maxFirst }),
    access,
    viewerOf: access.viewerOf,
    stays: access.stays,
    presentError: present,
    maxBufferedBytes: config.socket.maxBufferedBytes,
  };
  const graphiql = config.graphiql ? createGraphiql() : null;
  const addressOf = createClientAddresses(config.http.trustedProxies);
  const connections = createConnectionLimit(config.socket, addressOf, createQuota(sharing?.quota("address")));
  const sockets = createGraphqlSockets({
    ...shared,
    limits: config.socket,
    hub,
    connections,
    byToken: createQuota(sharing?.quota("token")),
    stallTimeout: config.socket.stallMs,
    pingInterval: config.socket.pingMs,
  });
  const page = createPage({ ...createPageBuilder(PROJECT, PAGE_BUILDER), logger });
  const webhook = createWebhook({
    metrics,
    tracing,
    eventLog,
    onAppended(batch) {
      hub.acknowledged(batch.head);
      postToFrame.appended(batch, hub.number);
    },
    authentication: config.webhook,
    maxBodyBytes: config.webhook.maxBodyBytes,
    bodyTimeoutMs: config.http.bodyIdleMs,
    logger,
  });
  let stopping = false;
  const isStopping = (): boolean => stopping;
  const endpoint = createGraphqlEndpoint({
    ...shared,
    graphiql,
    connections,
    maxMessageBytes: config.socket.maxMessageBytes,
    stallTimeout: config.socket.stallMs,
  });
  const graphqlStream = createGraphqlStream({
    ...shared,
    connections,
    limits: config.socket,
    stallTimeout: config.socket.stallMs,
  });
  const events = createEventsEndpoint({
    ...shared,
    hub,
    eventLog,
    stallTimeout: config.socket.stallMs,
    heartbeatInterval: config.socket.pingMs,
  });
  const tickets = createTicketsEndpoint(access);
  const session = createSessionEndpoint(access, config.http.basePath);
  const metricsEndpoint = createMetricsEndpoint({
    read: sharing?.metrics(metrics.registry) ?? (() => metrics.registry.metrics()),
    viewerOf: config.telemetry.metricsPort === null ? access.viewerOf : undefined,
  });
  const isLocalOnly = config.access === null;
  const metricsServer = createMetricsServer({ endpoint: metricsEndpoint, isLocalOnly, logger });
  const health = createHealth({ eventLog, hub, isStopping });
  const { stays } = access;
  lookUpMetrics(metrics, { hub, groups, sockets, events, endpoint, graphqlStream, stays, health, eventLog });
  const server = createHttpServer({
    logger,
    addressOf,
    onAnswered: (path, status) => metrics.of.mandrill_live_http_requests_total.inc({ path, status }),
    basePath: config.http.basePath,
    timeouts: config.http,
    gate: createGate({
      isLocalOnly,
      origins: createOriginPolicy(config.http.allowedOrigins),
    }),
    connections,
    webhook: (request, response) => webhook.handle(request, response),
    graphql: (request, response) => endpoint.handle(request, response),
    graphqlStream: (request, response) => graphqlStream.handle(request, response),
    events: (request, response) => events.handle(request, response),
    tickets: (request, response) => tickets.handle(request, response),
    session: (request, response) => session.handle(request, response),
    metrics: config.telemetry.metricsPort === null ? (...exchange) => metricsEndpoint.handle(...exchange) : null,
    graphiql,
    page,
    health,
    isStopping,
    upgrade: (request, socket, head) => sockets.upgrade(request, socket, head),
  });

  const control = await openControl(config.eventLog, eventLog, logger);
  hub.start();
  access.start();
  const trimming = setInterval(() => {
    eventLog.trim().catch((error: unknown) => logger.warn({ err: error }, "the log could not be trimmed"));
  }, TRIM_INTERVAL);
  const release = async (): Promise<void> => {
    clearInterval(trimming);
    page.close();
    await metricsServer.close();
    await webhook.close();
    access.stop();
    await control?.close();
    // Together: a log that hangs keeps a read of the hub's until it is closed.
    await Promise.all([hub.stop(), eventLog.close()]);
    await tracing?.close();
  };

  try {
    const { metricsPort } = config.telemetry;
    if (metricsPort !== null) {
      logger.info(
        { url: await metricsServer.listen(metricsPort, config.http.host) },
        "metrics have a port of their own",
      );
    }
    const url = await server.listen(config.http.port, config.http.host);
    return {
      url,
      preparePage: () => page.prepare(),
      counts: () => ({ sockets: sockets.size, subscribers: hub.size, groups: groups.size }),
      async stop() {
        stopping = true;
        const breakOff = setTimeout(() => {
          sockets.destroy();
          server.destroy();
        }, config.shutdownMs * PATIENCE);
        // The port stays open meanwhile: `/ready` says 503, and Mandrill is told to come again.
        await Promise.all([sockets.close(config.shutdownMs * SPREAD), webhook.close()]);
        for (const streams of [endpoint, graphqlStream, events]) streams.close();
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

/** Opens the event log that is configured, with the events in the form that the service keeps them in. */
export async function openEventLog(
  config: EventLogConfig,
  limits: LogLimits,
  logger: Logger,
): Promise<EventLog | SqliteEventLog> {
  if (config.kind === "redis") {
    const { connection, prefix, minReplicas } = config;
    return openRedisEventLog({ connection, prefix, limits, form: RAW_EVENTS, logger, minReplicas });
  }
  await mkdir(config.dataDir, { recursive: true });
  return openSqliteEventLog({ file: join(config.dataDir, LOG_FILE), limits, form: RAW_EVENTS, logger });
}

/** The embedded log's file is this process's alone: for a backup, an export or an erasure a command has to ask it. */
async function openControl(
  config: EventLogConfig,
  eventLog: EventLog | SqliteEventLog,
  logger: Logger,
): Promise<ControlSocket | null> {
  if (config.kind !== "sqlite" || !("backup" in eventLog)) return null;
  return openControlSocket({
    path: join(config.dataDir, CONTROL_SOCKET),
    backUp: (file) => eventLog.backup(file),
    exportEvents: (span) => exportEvents(eventLog, schema, span),
    erase: (email) => eventLog.erase(email),
    logger,
  });
}
