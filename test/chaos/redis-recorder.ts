import { setTimeout as pause } from "node:timers/promises";
import type { Cluster, Redis } from "ioredis";
import { createKeys, type RedisKeys } from "../../src/event-log/redis/keys.ts";
import type { RedisServer } from "../harness/redis-server.ts";
import { Eras, eraFrom, type History, newEra } from "./history.ts";
import { createTurns } from "./turns.ts";

/** Begins every key of the instances. */
export const PREFIX = "chaos";
/** Between two looks at the log: no more may be trimmed meanwhile than is kept. Milliseconds. */
const LOOK_INTERVAL = 10;
/** Redis takes no writes for so long while a copy of it is made, or its end is recorded. Milliseconds. */
const WRITE_PAUSE = 10_000;
/** Of the meta hash: the log's epoch, and what its cursors are written under. */
const IDENTITY = ["epoch", "cursorKey"];

/** In whatever form an event is kept, what Mandrill sent is part of it. */
const MESSAGE_ID = /"_id":"([\w-]+)"/;

type Row = readonly [id: string, fields: readonly string[]];

export interface RedisRecorder extends History {
  readonly keys: RedisKeys;
  /** Runs `act` while nothing is written to `node` and nothing is looked at: all that it has taken is recorded. */
  frozen<T>(node: RedisServer, act: () => Promise<T>): Promise<T>;
  /** FLUSHALL. */
  empty(node: RedisServer): Promise<void>;
  /** Within {@link frozen}: from now on the log is what this replica of the lost master has. */
  follow(replica: RedisServer, client: Redis | Cluster): Promise<void>;
}

/** @param client of a Redis or of a cluster, which reads what its master has */
export function recordRedis(client: Redis | Cluster): RedisRecorder {
  const keys = createKeys(PREFIX);
  const eras = new Eras();
  let source = client;
  let stopped = false;
  /** Nothing is read while the log changes its era. */
  const exclusively = createTurns();

  function note([meta, rows]: readonly unknown[]): void {
    const [epoch, key] = meta as (string | null)[];
    if (epoch != null && key != null) eras.identify(epoch, Buffer.from(key, "hex"));
    for (const [id, fields] of rows as Row[]) {
      const messageId = MESSAGE_ID.exec(fields[5] as string)?.[1] ?? "";
      eras.add(Number.parseInt(id, 10), { tag: fields[1] as string, messageId });
    }
  }

  const unread = () => `${eras.current.entries.length + 1}-0`;

  /** Two plain commands: a transaction is refused while memory is full. */
  async function look(): Promise<void> {
    note(await Promise.all([source.hmget(keys.meta, ...IDENTITY), source.xrange(keys.entries, unread(), "+")]));
  }

  async function keepLooking(): Promise<void> {
    while (!stopped) {
      await exclusively(look);
      await pause(LOOK_INTERVAL);
    }
  }

  const looking = keepLooking();
  const failed = looking.then(() => new Promise<never>(() => {}));
  failed.catch(() => {});
  return {
    keys,
    eras,
    announce() {},
    frozen: (node, act) =>
      exclusively(async () => {
        await node.client.call("CLIENT", "PAUSE", WRITE_PAUSE, "WRITE");
        await look();
        return act();
      }),
    empty: ({ client }) =>
      exclusively(async () => {
        const last = client
          .multi()
          .hmget(keys.meta, ...IDENTITY)
          .xrange(keys.entries, unread(), "+")
          .flushall();
        eras.end();
        note(resultsOf(await last.exec()));
        eras.begin(newEra());
      }),
    async follow(replica, next) {
      const [[epoch], [newest]] = await Promise.all([
        replica.client.hmget(keys.meta, "epoch"),
        replica.client.xrevrange(keys.entries, "+", "-", "COUNT", 1) as Promise<Row[]>,
      ]);
      source = next;
      const { entries, epochs } = eras.current;
      const count = newest === undefined ? 0 : Number.parseInt(newest[0], 10);
      if (count > 0 && entries[count - 1]?.tag !== newest?.[1][1]) {
        throw new Error(`the replica has another entry ${count} than its master had`);
      }
      if (epoch == null) eras.begin(newEra());
      else if (count < entries.length || epoch !== [...epochs].at(-1)) {
        eras.begin(eraFrom(eras.current, "replica", count, epoch));
      }
    },
    keepUp: () => exclusively(look),
    failed,
    async finish() {
      await exclusively(look);
      stopped = true;
      await looking;
    },
  };
}

function resultsOf(replies: [Error | null, unknown][] | null): readonly unknown[] {
  return (replies ?? []).map(([error, reply]) => {
    if (error !== null) throw error;
    return reply;
  });
}
