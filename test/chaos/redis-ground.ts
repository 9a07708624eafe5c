import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { ServiceError } from "../../src/error.ts";
import { convertLog } from "../../src/event-log/redis/conversion.ts";
import { createKeys } from "../../src/event-log/redis/keys.ts";
import { openLink } from "../../src/event-log/redis/link.ts";
import { RAW_EVENTS } from "../../src/mandrill/raw-events.ts";
import { makeFormerLog } from "../harness/former-log.ts";
import { MOMENTS } from "../harness/moment.ts";
import { type RedisServer, startRedisServer } from "../harness/redis-server.ts";
import { befalling, type Ground, type StoreFault } from "./ground.ts";
import { eraFrom, type GrowingEra, newEra } from "./history.ts";
import { restoredAndOvertaken } from "./overtaking.ts";
import type { Random } from "./random.ts";
import { REDIS_FAULTS, type RedisLog, WAY_FAULTS } from "./redis-faults.ts";
import { PREFIX, type RedisRecorder, recordRedis } from "./redis-recorder.ts";

/** Where Redis 7 keeps its append-only file. */
const DATA = "appendonlydir";
const COPY = "copy";

/** Milliseconds for a step of a conversion. */
const CONVERT_TIMEOUT = 4_500;

interface SingleRedis extends RedisLog {
  readonly copies: Copies;
}

/** Makes Redis lose its data, or all of it that is newer than a copy. */
class Copies {
  readonly #redis: RedisServer;
  readonly #recorder: RedisRecorder;
  readonly #folder: string;
  #copied: GrowingEra | null = null;

  constructor(redis: RedisServer, recorder: RedisRecorder, folder: string) {
    this.#redis = redis;
    this.#recorder = recorder;
    this.#folder = folder;
  }

  /** Keeps what Redis holds now; perhaps there is a copy of before, of a log that has been emptied since, that will do. */
  async make(random: Random): Promise<void> {
    if (this.#copied !== null && !random.onceIn(2)) return;
    await this.#recorder.frozen(this.#redis, async () => {
      await rm(join(this.#folder, COPY), { recursive: true, force: true });
      await cp(join(this.#folder, DATA), join(this.#folder, COPY), { recursive: true });
      this.#copied = eraFrom(this.#recorder.eras.current, "copy");
      await this.#redis.client.call("CLIENT", "UNPAUSE");
    });
    await pause(random.between(100, 700));
  }

  /** Returns how many entries are lost. */
  async restore(): Promise<number> {
    const copied = this.#copied;
    if (copied === null) throw new Error("there is no copy");
    const before = this.#recorder.eras.current.entries.length;
    await this.#restartWith(
      () => cp(join(this.#folder, COPY), join(this.#folder, DATA), { recursive: true }),
      eraFrom(copied, "copy"),
    );
    return before - copied.entries.length;
  }

  restartEmpty(): Promise<void> {
    return this.#restartWith(async () => {}, newEra());
  }

  #restartWith(prepare: () => Promise<void>, era: GrowingEra): Promise<void> {
    return this.#recorder.frozen(this.#redis, async () => {
      this.#recorder.eras.end();
      await this.#redis.kill();
      await rm(join(this.#folder, DATA), { recursive: true, force: true });
      await prepare();
      this.#recorder.eras.begin(era);
      await this.#redis.restart();
    });
  }
}

const FAULTS = {
  ...REDIS_FAULTS,
  ...WAY_FAULTS,
  "drop wake-ups": async (_, { instances }, random) => {
    const instance = random.oneOf(instances);
    instance.isDeaf = true;
    await pause(random.between(100, 1_500));
    instance.isDeaf = false;
  },
  "restart Redis with its data": ({ master }) => master.restart(),
  "restart Redis without its data": ({ copies }) => copies.restartEmpty(),
  "restart Redis from a copy": async ({ copies }, _, random) => {
    await copies.make(random);
    await copies.restore();
  },
  "restart everything from a copy and grow past the old head": async ({ copies }, scene, random) => {
    await copies.make(random);
    await restoredAndOvertaken(scene, () => copies.restore());
  },
  "empty Redis": ({ recorder, master }) => recorder.empty(master),
} as const satisfies Record<string, StoreFault<SingleRedis>>;

const FORMER_FAULTS = {
  ...FAULTS,
  "convert the log": ({ master }) => convert(master),
} as const satisfies Record<string, StoreFault<SingleRedis>>;

/** As the command does, which ends with whatever befalls it: it is run again then, or not. */
async function convert({ url }: RedisServer): Promise<void> {
  const link = openLink({ kind: "standalone", url }, "convert", CONVERT_TIMEOUT);
  try {
    await convertLog({ link, keys: createKeys(PREFIX), form: RAW_EVENTS, onProgress() {} });
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
  } finally {
    await link.close();
  }
}

function singleRedis(
  faults: typeof FAULTS | typeof FORMER_FAULTS,
  prepare: (redis: RedisServer) => Promise<void>,
): Ground {
  return {
    faults: Object.keys(faults),
    settings: () => ({}),
    async open() {
      // Whatever has been answered has been written to the file, which outlives the process that is killed. With
      // `everysec` Redis may put a write off, behind its answer, while the file is being synced.
      const master = await startRedisServer({ config: { appendonly: "yes", appendfsync: "no" } });
      const [, folder] = (await master.client.config("GET", "dir")) as [string, string];
      await prepare(master);
      const recorder = recordRedis(master.client);
      const copies = new Copies(master, recorder, folder);
      return {
        history: recorder,
        faults: befalling<SingleRedis>({ master, recorder, copies }, faults),
        way: () => ({
          port: master.port,
          env: (port) => ({ REDIS_URL: `redis://127.0.0.1:${port}` }),
          moments: MOMENTS,
        }),
        stop: () => master.stop(),
      };
    },
  };
}

/** A single Redis. */
export const REDIS = singleRedis(FAULTS, async () => {});

/** The same, with a log that the version before has made. */
export const FORMER = singleRedis(FORMER_FAULTS, ({ client }) => makeFormerLog(client, PREFIX));
