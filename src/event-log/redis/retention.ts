import type { LogLimits } from "../event-log.ts";
import type { Appended } from "./append.ts";
import type { RedisClient } from "./connection.ts";
import type { RedisKeys } from "./keys.ts";
import type { Link } from "./link.ts";
import type { LogStates } from "./log-state.ts";
import { SCRIPTS } from "./script.ts";
import { createTrimPlans, RUN_ENTRIES } from "./trim-plan.ts";

/** Times the slack that Redis may be over a limit before appends wait for the trimming, and runs that one waits for. */
const FAR_BEHIND = 10;
const RUNS_WAITED = 4;
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

export function createRetention(keys: RedisKeys, states: LogStates, limits: LogLimits, link: Link): Retention {
  /** How far Redis may be over a limit: whoever reads the oldest entries is not overtaken at once, and runs are full. */
  const slack = Math.min(RUN_ENTRIES, Math.ceil(limits.retentionEvents / 20));
  const idsLimit = Math.max(limits.retentionEvents, limits.deduplicationEvents);
  const plans = createTrimPlans(keys, states);
  const fixed = [keys.meta, keys.entries, keys.terms, keys.ids, keys.minutes, keys.counts, keys.erased];
  let trimming: Promise<number> | null = null;
  let running: Promise<Run> | null = null;

  async function run(client: RedisClient, retentionMs: number): Promise<Run> {
    const plan = await plans.read(client);
    if (plan === null) return { trimmed: 0, over: 0, left: "none" };
    const { state, spans, indexKeys } = plan;
    const result = await SCRIPTS.trim.run(
      client,
      [...fixed, ...indexKeys],
      [
        state.epoch,
        state.oldestKept,
        limits.retentionEvents + slack,
        retentionMs,
        limits.deduplicationMs,
        limits.deduplicationEvents,
        RUN_IDS,
        JSON.stringify(spans),
      ],
    );
    if (result === null) return { trimmed: 0, over: 0, left: "contended" };
    const [oldest, head, moreIds] = result as [string, string, number];
    const visible = Math.max(state.oldestKept, Number(head) - limits.retentionEvents + 1);
    const removed = Number(oldest) - 1;
    const some = moreIds === 1 || (spans.at(-1)?.[1] ?? Number.POSITIVE_INFINITY) <= removed;
    return {
      trimmed: Math.max(0, Number(oldest) - visible),
      over: Number(head) - limits.retentionEvents - Number(oldest) + 1,
      left: some ? "some" : "none",
    };
  }

  async function trimAll(over: "count" | "age"): Promise<number> {
    const retentionMs = over === "age" ? limits.retentionMs : Number.MAX_SAFE_INTEGER;
    let trimmed = 0;
    for (;;) {
      running = link.run((client) => run(client, retentionMs));
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
