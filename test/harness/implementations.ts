import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Redis } from "ioredis";
import type { EventLog, LogLimits } from "../../src/event-log/event-log.ts";
import { openRedisEventLog } from "../../src/event-log/redis/redis-event-log.ts";
import { openSqliteEventLog } from "../../src/event-log/sqlite/sqlite-event-log.ts";
import { makeFormerLog } from "./former-log.ts";
import { startRedisServer } from "./redis-server.ts";

/** One store, empty when it is made. */
export interface LogStore {
  /** The first handle on it. */
  readonly eventLog: EventLog;
  /** A further handle; where there may be but one, the earlier is closed first. Without `limits`, with those it had. */
  open(limits?: LogLimits): Promise<EventLog>;
  /** Whether `text`, in any case, stands anywhere in what the store keeps: its files, or all bytes of its keys in Redis. */
  holds(text: string): Promise<boolean>;
  /** Closes every handle and removes the store. */
  destroy(): Promise<void>;
}

/** What a test file starts once and makes its stores from. */
export interface LogStores {
  create(limits: LogLimits): Promise<LogStore>;
  stop(): Promise<void>;
}

/** An event log that keeps the contract. */
export interface Implementation {
  readonly name: string;
  /** Whether two handles on one store may be open at once. */
  readonly severalHandles: boolean;
  start(): Promise<LogStores>;
}

const sqlite: Implementation = {
  name: "SQLite",
  severalHandles: false,
  async start() {
    const folder = await mkdtemp(join(tmpdir(), "mandrill-live-contract-"));
    let made = 0;
    return {
      async create(limits) {
        made += 1;
        const name = `${made}.db`;
        const file = join(folder, name);
        let eventLog = await openSqliteEventLog({ file, limits });
        return {
          eventLog,
          async open(otherLimits = limits) {
            await eventLog.close();
            eventLog = await openSqliteEventLog({ file, limits: otherLimits });
            return eventLog;
          },
          async holds(text) {
            const files = (await readdir(folder)).filter((one) => one.startsWith(name));
            const contents = await Promise.all(files.map((one) => readFile(join(folder, one), "latin1")));
            return contents.some((content) => content.toLowerCase().includes(text.toLowerCase()));
          },
          destroy: () => eventLog.close(),
        };
      },
      stop: () => rm(folder, { recursive: true, force: true }),
    };
  },
};

/** All bytes of a key, those of deleted entries too, as Redis writes them into its files. */
async function bytesOf(client: Redis, key: string): Promise<string> {
  return (await client.dumpBuffer(key))?.toString("latin1") ?? "";
}

interface RedisForm {
  /** From how many bytes on the index is kept in blocks; the default where it is absent. */
  readonly tailBytes?: number;
  /** Whether the log has the layout of the version before. */
  readonly isFormer?: boolean;
}

const redisWith = (name: string, { tailBytes, isFormer = false }: RedisForm = {}): Implementation => ({
  name,
  severalHandles: true,
  async start() {
    const server = await startRedisServer();
    await server.client.config("SET", "rdbcompression", "no");
    let made = 0;
    return {
      async create(limits) {
        made += 1;
        const prefix = `contract-${made}`;
        const handles: EventLog[] = [];
        const open = async (otherLimits = limits) => {
          const connection = { kind: "standalone", url: server.url } as const;
          const eventLog = openRedisEventLog({ connection, prefix, limits: otherLimits, tailBytes });
          handles.push(eventLog);
          return eventLog;
        };
        if (isFormer) await makeFormerLog(server.client, prefix);
        return {
          eventLog: await open(),
          open,
          async holds(text) {
            const names = await server.client.keys(`{${prefix}}:*`);
            const values = await Promise.all(names.map((name) => bytesOf(server.client, name)));
            return [...names, ...values].join("\n").toLowerCase().includes(text.toLowerCase());
          },
          destroy: async () => void (await Promise.all(handles.map((handle) => handle.close()))),
        };
      },
      stop: () => server.stop(),
    };
  },
});

/** Every implementation of the event log: the contract suite runs on each. */
export const IMPLEMENTATIONS: readonly Implementation[] = [
  sqlite,
  redisWith("Redis"),
  redisWith("Redis with an index in blocks", { tailBytes: 1 }),
  redisWith("Redis with a log of the layout before", { isFormer: true }),
];
