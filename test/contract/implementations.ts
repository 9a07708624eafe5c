import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EventLog, LogLimits } from "../../src/event-log/event-log.ts";
import { openRedisEventLog } from "../../src/event-log/redis/redis-event-log.ts";
import { openSqliteEventLog } from "../../src/event-log/sqlite/sqlite-event-log.ts";
import { startRedisServer } from "../harness/redis-server.ts";

/** One store, empty when it is made. */
export interface LogStore {
  /** The first handle on it. */
  readonly eventLog: EventLog;
  /** A further handle; where there may be but one, the earlier is closed first. Without `limits`, with those it had. */
  open(limits?: LogLimits): Promise<EventLog>;
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
        const file = join(folder, `${made}.db`);
        let eventLog = await openSqliteEventLog({ file, limits });
        return {
          eventLog,
          async open(otherLimits = limits) {
            await eventLog.close();
            eventLog = await openSqliteEventLog({ file, limits: otherLimits });
            return eventLog;
          },
          destroy: () => eventLog.close(),
        };
      },
      stop: () => rm(folder, { recursive: true, force: true }),
    };
  },
};

const redis: Implementation = {
  name: "Redis",
  severalHandles: true,
  async start() {
    const server = await startRedisServer();
    let made = 0;
    return {
      async create(limits) {
        made += 1;
        const prefix = `contract-${made}`;
        const handles: EventLog[] = [];
        const open = async (otherLimits = limits) => {
          const connection = { kind: "standalone", url: server.url } as const;
          const eventLog = openRedisEventLog({ connection, prefix, limits: otherLimits });
          handles.push(eventLog);
          return eventLog;
        };
        return {
          eventLog: await open(),
          open,
          destroy: async () => void (await Promise.all(handles.map((handle) => handle.close()))),
        };
      },
      stop: () => server.stop(),
    };
  },
};

/** Every implementation of the event log: the contract suite runs on each. */
export const IMPLEMENTATIONS: readonly Implementation[] = [sqlite, redis];
