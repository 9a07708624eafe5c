import { logUnavailable, type ServiceError } from "../../error.ts";
import type { MarkedEntry } from "../event-log.ts";
import type { RedisClient } from "./connection.ts";
import { CHECK_EXPIRY, type RedisKeys } from "./keys.ts";
import type { Link } from "./link.ts";
import { resultsOf } from "./pipeline.ts";
import { SCRIPTS } from "./script.ts";

/** Waiting for replicas (https://redis.io/docs/latest/commands/wait/). */
export interface Replicas {
  /**
   * Resolves when enough replicas have the log up to `entry`; without one, up to where it now reaches. Rejects with
   * LOG_UNAVAILABLE where they do not have it in time, and where the log does not have it any more: a master that was
   * promoted without it would otherwise wait for what it has instead.
   */
  have(entry?: MarkedEntry): Promise<void>;
  close(): Promise<void>;
}

export interface ReplicasOptions {
  /** A connection of its own: a WAIT holds up whatever is behind it. */
  readonly link: Link;
  readonly keys: RedisKeys;
  /** How many replicas; at least one. */
  readonly needed: number;
  /** Milliseconds for one wait. Whoever comes during one waits for the next, and so for two at the most. */
  readonly waitMs: number;
}

interface Waiter {
  readonly entry: MarkedEntry | undefined;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** What a command on its own is led out of: by its text, or to another node. */
const LED_ON = /^(?:NOSCRIPT|MOVED|ASK|TRYAGAIN) /;

/** One wait at a time, and one for all who have come since the last began. */
export function createReplicas({ link, keys, needed, waitMs }: ReplicasOptions): Replicas {
  const markKeys = [keys.meta, keys.entries, keys.erased, keys.check];
  let waiting: Waiter[] = [];
  let isWaiting = false;

  /** Marks and waits on one connection, to one master: what it answers is true of that one, and of its replicas. */
  async function markAndWait(
    client: RedisClient,
    numbers: readonly number[],
  ): Promise<[tags: unknown, count: unknown]> {
    const args = [CHECK_EXPIRY, ...numbers];
    const once = async () => {
      const pipeline = client.pipeline();
      SCRIPTS.mark.queue(pipeline, markKeys, args);
      return (await pipeline.wait(needed, waitMs).exec()) ?? [];
    };
    const replies = await once();
    const refusal = replies[0]?.[0];
    if (refusal == null || !LED_ON.test(refusal.message)) return resultsOf(replies) as [unknown, unknown];
    await SCRIPTS.mark.run(client, markKeys, args);
    return resultsOf(await once()) as [unknown, unknown];
  }

  async function waitFor(group: readonly Waiter[]): Promise<void> {
    const entries = group.flatMap(({ entry }) => entry ?? []);
    const numbers = [...new Set(entries.map(({ number }) => number))];
    const [tags, count] = await link.run((client) => markAndWait(client, numbers));
    const tagByNumber = new Map(numbers.map((number, i) => [number, (tags as (string | null)[])[i]]));
    for (const { entry, resolve, reject } of group) {
      if (entry !== undefined && tagByNumber.get(entry.number) !== entry.tag) reject(entryLost());
      else if (Number(count) < needed) reject(tooFew(Number(count), needed));
      else resolve();
    }
  }

  async function waitForAll(): Promise<void> {
    isWaiting = true;
    while (waiting.length > 0) {
      const group = waiting;
      waiting = [];
      await waitFor(group).catch((error: unknown) => {
        for (const { reject } of group) reject(error);
      });
    }
    isWaiting = false;
  }

  return {
    have: (entry) =>
      new Promise((resolve, reject) => {
        waiting.push({ entry, resolve, reject });
        if (!isWaiting) void waitForAll();
      }),
    close: () => link.close(),
  };
}

function tooFew(count: number, needed: number): ServiceError {
  return logUnavailable(`REDIS_MIN_REPLICAS is ${needed}, and ${count} replicas have the events in time.`);
}

function entryLost(): ServiceError {
  return logUnavailable("Redis has lost the events before its replicas had them.");
}
