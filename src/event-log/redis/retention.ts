import type { LogLimits } from "../event-log.ts";
import type { Appended } from "./append.ts";
import type { RedisClient } from "./connection.ts";
import type { EventIndex } from "./indexed-log.ts";
import type { Indexes } from "./indexes.ts";
import type { RedisKeys } from "./keys.ts";
import type { Link } from "./link.ts";

/** Times the slack that Redis may be over a limit before appends wait for the trimming, and runs that one waits for. */
const FAR_BEHIND = 10;
const RUNS_WAITED = 4;
/** Entries that one run removes at the most: an append waits no longer than for one run. */
const RUN_ENTRIES = 1_000;
/** Ids that one run forgets at the most. */
const RUN_IDS = 2_000;

/** Removing what is over the limits. Readers see none of it from the moment that it is over the count. */
export interface Retention {
  /**
   * Trims in the background where an append has left enough over the limits' count to be worth a run. Resolves at
   * once, or, where trimming falls behind the appends, after some runs of it. Never rejects.
   */
  afterAppend(appended: Appended): Promise<void>;
  /** Trims what is over the limits' age too; resolves to the number of entries that were held until then. */
  trim(): Promise<number>;
}

interface Run {
  /** Entries removed that readers still saw. */
  readonly trimmed: number;
  /** Entries over the limit's count that Redis still has. */
  readonly over: number;
  /** What is over the limits: none any more, some, or some of which another instance has just removed a part. */
  readonly left: "none" | "some" | "contended";
}

export function createRetention(keys: RedisKeys, indexes: Indexes, limits: LogLimits, link: Link): Retention {
  /** How far Redis may be over a limit: whoever reads the oldest entries is not overtaken at once, and runs are full. */
  const slack = Math.min(RUN_ENTRIES, Math.ceil(limits.retentionEvents / 20));
  const idsLimit = Math.max(limits.retentionEvents, limits.deduplicationEvents);
  const fixed = [keys.meta, keys.entries, keys.ids, keys.minutes, keys.counts, keys.erased];
  let trimming: Promise<number> | null = null;
  let running: Promise<Run> | null = null;

  async function runOn(index: EventIndex, client: RedisClient, retentionMs: number): Promise<Run> {
    const plan = await index.planTrim(client, RUN_ENTRIES);
    const { state } = plan;
    if (state === null) return { trimmed: 0, over: 0, left: "none" };
    const result = await index.scripts.trim.run(
      client,
      [...fixed, ...plan.keys],
      [
        state.epoch,
        state.oldestKept,
        limits.retentionEvents + slack,
        retentionMs,
        plan.entries,
        limits.deduplicationMs,
        limits.deduplicationEvents,
        RUN_IDS,
        ...plan.values,
      ],
    );
    if (result === null) return { trimmed: 0, over: 0, left: "contended" };
    const [oldest, head, more] = result as [string, string, number];
    const visible = Math.max(state.oldestKept, Number(head) - limits.retentionEvents + 1);
    return {
      trimmed: Math.max(0, Number(oldest) - visible),
      over: Number(head) - limits.retentionEvents - Number(oldest) + 1,
      left: more === 1 ? "some" : "none",
    };
  }

  async function trimAll(over: "count" | "age"): Promise<number> {
    const retentionMs = over === "age" ? limits.retentionMs : Number.MAX_SAFE_INTEGER;
    let trimmed = 0;
    for (;;) {
      running = link.run((client) => indexes.run(client, (index) => runOn(index, client, retentionMs)));
      const done = await running;
      trimmed += done.trimmed;
      // What is over the count is left to the instance that came first.
      if (done.left === "none" || (over === "count" && done.left === "contended")) return trimmed;
    }
  }

  /** One at a time: a second run at once would read the same entries, and find them gone. */
  function start(over: "count" | "age"): Promise<number> {
    trimming ??= trimAll(over).finally(() => {
      trimming = null;
    });
    return trimming;
  }

  return {
    async afterAppend({ entriesKept, idsKept }) {
      let over = Math.max(entriesKept - limits.retentionEvents, idsKept - idsLimit);
      if (over <= 2 * slack) return;
      // What fails now is due again with the next append.
      start("count").catch(() => {});
      for (let i = 0; i < RUNS_WAITED && over > FAR_BEHIND * slack; i++) {
        over = (await running?.catch(() => null))?.over ?? 0;
      }
    },
    async trim() {
      // One that is under way is for the count, or looked at the clock before this was asked for.
      while (trimming !== null) await trimming.catch(() => {});
      return start("age");
    },
  };
}
