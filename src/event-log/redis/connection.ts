import { Cluster, Redis, type RedisOptions } from "ioredis";
import type { RedisConnection } from "../../config.ts";

/** A client of one Redis, found directly or by its sentinels, or of a cluster. */
export type RedisClient = Redis | Cluster;

/** Milliseconds between two attempts to connect: the bound doubles from the first to the last. */
const FIRST_RETRY = 100;
const LAST_RETRY = 2_000;
/** Milliseconds after which the kernel begins to ask whether the other side of a silent connection is there. */
const KEEP_ALIVE = 10_000;
/**
 * Milliseconds that one sentinel may take to name the master before the next is asked. Without this bound the client
 * waits for ever on one that has taken the question and hangs.
 */
const SENTINEL_ANSWER = 1_000;
/** Milliseconds that a connection we end is given to close before it is cut. */
const DISCONNECT = 100;

/** Half of the wait is random: instances that lost Redis together do not come back in step. */
function retryDelay(attempt: number): number {
  const bound = Math.min(LAST_RETRY, FIRST_RETRY * 2 ** Math.min(attempt, 10));
  return Math.round(bound / 2 + (Math.random() * bound) / 2);
}

/**
 * A client that goes on connecting for ever, and meanwhile rejects commands at once instead of keeping them: what
 * is not sent now is sent by whoever needs it. A command without an answer rejects after `timeoutMs`.
 */
export function createClient(connection: RedisConnection, name: string, timeoutMs: number): RedisClient {
  const options: RedisOptions & { disconnectTimeout: number } = {
    connectionName: name,
    connectTimeout: timeoutMs,
    commandTimeout: timeoutMs,
    disconnectTimeout: DISCONNECT,
    keepAlive: KEEP_ALIVE,
    enableOfflineQueue: false,
    // 0 rejects what is under way as soon as the connection is lost.
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    disableClientInfo: true,
    retryStrategy: retryDelay,
    // A master that was made a replica: the address, or the sentinels, will lead to the new one.
    reconnectOnError: (error) => error.message.startsWith("READONLY"),
  };
  switch (connection.kind) {
    case "standalone":
      return new Redis(connection.url, options);
    case "sentinel": {
      const { tls, ...login } = credentialsOf(connection.url);
      return new Redis({
        ...options,
        ...login,
        ...(tls && { tls: {}, enableTLSForSentinelMode: true, sentinelTLS: {} }),
        sentinels: connection.sentinels.map(({ host, port }) => ({ host, port })),
        name: connection.master,
        sentinelRetryStrategy: retryDelay,
        sentinelCommandTimeout: SENTINEL_ANSWER,
      });
    }
    case "cluster": {
      const { tls, username, password } = credentialsOf(connection.url);
      const { retryStrategy: _, enableOfflineQueue: __, ...nodeOptions } = options;
      return new Cluster(
        connection.nodes.map(({ host, port }) => ({ host, port })),
        {
          clusterRetryStrategy: retryDelay,
          enableOfflineQueue: false,
          redisOptions: { ...nodeOptions, username, password, ...(tls && { tls: {} }) },
          // A certificate names hosts: an address looked up beforehand would not be found in it.
          ...(tls && { dnsLookup: (address, callback) => callback(null, address) }),
        },
      );
    }
  }
}

interface Credentials {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly db?: number | undefined;
  readonly tls: boolean;
}

/** What a redis:// or rediss:// URL says beside the host. */
function credentialsOf(url: string | undefined): Credentials {
  if (url === undefined) return { tls: false };
  const { username, password, pathname } = new URL(url);
  return {
    ...(username !== "" && { username: decodeURIComponent(username) }),
    ...(password !== "" && { password: decodeURIComponent(password) }),
    ...(pathname.length > 1 && { db: Number(pathname.slice(1)) }),
    tls: speaksTls(url),
  };
}

/** Whether a URL asks for TLS. */
export function speaksTls(url: string | undefined): boolean {
  return url !== undefined && new URL(url).protocol === "rediss:";
}
