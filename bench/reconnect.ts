import { createContender, subscribePayload } from "./harness/contender.ts";
import { cpuMs } from "./harness/process-cost.ts";
import { type RedisCost, startRedis } from "./harness/redis.ts";
import { type Answer, percent, shown } from "./harness/report.ts";
import { startService } from "./harness/stack.ts";
import { SELECTION } from "./load/sample-event.ts";
import type { Bench, Question } from "./question.ts";

/** All come back within so many milliseconds. */
const WITHIN = 3_000;
/** Milliseconds between two events that are posted meanwhile. */
const LIVE_EVERY = 100;

const QUERY = `subscription ($after: Cursor) { eventReceived(after: $after) { ${SELECTION} } }`;

/** Scripts run on Redis: the appends, and whatever reads. */
const SCRIPTS = ["evalsha", "eval"];
/** Ranges of the log, within scripts or without. */
const RANGES = ["xrange", "xrevrange"];

async function answer({ quick, say, use, prefix, nodeFlags }: Bench): Promise<Answer> {
  const subscribers = quick ? 1_000 : 5_000;
  const missed = quick ? 300 : 1_000;
  const redis = use(await startRedis());
  const stack = await startService({ log: { redisUrl: redis.url, prefix: "reconnect" }, nodeFlags });
  const { loader, listen } = use(createContender(stack, prefix));
  say(`connecting ${subscribers} subscribers, dropping them, and posting ${missed} events`);
  await listen(subscribers, [subscribePayload(QUERY, { after: null })]);
  await loader.leave(missed);
  say("all of them come back");
  const before = await redis.cost();
  const cpuBefore = cpuMs(stack.pid);
  const returned = await loader.return({
    payload: subscribePayload(QUERY, { after: "$after" }),
    overMs: WITHIN,
    liveEveryMs: LIVE_EVERY,
  });
  const cpu = cpuMs(stack.pid) - cpuBefore;
  const reads = readsBetween(before, await redis.cost(), returned.posts);
  const wallMs = returned.connectMs + returned.catchUpMs;
  const rows: readonly (readonly [string, string])[] = [
    ["subscribers", shown(subscribers)],
    ["events that each had missed", shown(missed)],
    ["events that each got, in order and once", shown(returned.eventsEach)],
    ["deliveries", shown(returned.deliveries)],
    ["connections that were refused at first", shown(returned.refused)],
    ["s from the first attempt to connect to the last", shown(returned.connectMs / 1_000)],
    ["s from the last attempt until all had everything", shown(returned.catchUpMs / 1_000)],
    ["CPU µs a delivery, handshakes included", shown((cpu * 1_000) / returned.deliveries)],
    ["reads of Redis", shown(reads)],
    ["the service's core", percent(cpu / wallMs)],
    ["the client's", percent(returned.clientCpuMs / wallMs)],
  ];
  return {
    tables: [
      {
        title: `${subscribers.toLocaleString("en")} subscribers reconnect within 3 s, ${missed.toLocaleString("en")} events behind, while 10 events a second go on`,
        columns: ["", "measured"],
        rows,
      },
    ],
    figures: [
      {
        name: "reconnect: s from the last attempt to connect until all had everything",
        value: returned.catchUpMs / 1_000,
        sense: "at most",
        goal: 60,
        unit: " s",
      },
      { name: "reconnect: reads of Redis", value: reads, sense: "at most", goal: 100, unit: "" },
    ],
    data: { subscribers, missed, reads, cpu, ...returned },
  };
}

/** How often the log was read: by scripts that were no appends, or, if that is more, by ranges. */
function readsBetween(before: RedisCost, after: RedisCost, appends: number): number {
  const calls = (commands: readonly string[]): number => {
    return commands.reduce((sum, name) => sum + (after.calls.get(name) ?? 0) - (before.calls.get(name) ?? 0), 0);
  };
  return Math.max(calls(SCRIPTS) - appends, calls(RANGES));
}

export const reconnect: Question = {
  name: "reconnect",
  asks: "What if everyone comes back at once?",
  answer,
};
