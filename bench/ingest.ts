import { type Contender, createContender, measure, type Round } from "./harness/contender.ts";
import { cpuMs } from "./harness/process-cost.ts";
import { type BenchRedis, startRedis, temporaryFolder } from "./harness/redis.ts";
import { type Answer, percent, shown } from "./harness/report.ts";
import { alternate, median, pairedRatio } from "./harness/rounds.ts";
import { startBareIngest, startService } from "./harness/stack.ts";
import type { Bench, Question } from "./question.ts";

/** POSTs under way at once: enough that the next one is there when one has been answered. */
const IN_FLIGHT = 4;
const EVENTS_PER_POST = 100;

/** A round, and what Redis spent on it. Microseconds an event. */
interface IngestRound extends Round {
  readonly redisScripts: number;
  readonly redisCpu: number;
}

async function answer({ quick, say, use, prefix, nodeFlags }: Bench): Promise<Answer> {
  const retention = quick ? 10_000 : 100_000;
  say("starting Redis, the service and the bare handler");
  const redis = use(await startRedis());
  const settings = { RETENTION_EVENTS: String(retention) };
  const onRedis = await startService({ log: { redisUrl: redis.url, prefix: "ingest" }, settings, nodeFlags });
  const service = use(createContender(onRedis, prefix));
  const bare = use(createContender(await startBareIngest(), prefix));
  const onSqlite = quick ? null : await startService({ log: { folder: temporaryFolder() }, settings });
  const sqlite = onSqlite === null ? null : use(createContender(onSqlite, prefix));

  const plan = { audience: "nobody", eventsPerPost: EVENTS_PER_POST, inFlight: IN_FLIGHT, until: "answered" } as const;
  say(`filling the log up to the retention limit of ${shown(retention)} events`);
  const full = Math.ceil((1.1 * retention) / EVENTS_PER_POST);
  for (const contender of [service, bare, sqlite]) {
    if (contender === null) continue;
    await contender.listen(0);
    await measure(contender, { ...plan, posts: full, forMs: Number.POSITIVE_INFINITY });
  }
  say("posting");
  const take = (contender: Contender) => () => measure(contender, { ...plan, forMs: quick ? 700 : 3_000 });
  const rounds = await alternate<Round | IngestRound>(quick ? 2 : 7, [
    { name: "service, Redis", take: () => withRedisCost(redis, take(service)) },
    { name: "bare handler", take: take(bare) },
    ...(sqlite === null ? [] : [{ name: "service, SQLite", take: take(sqlite), rounds: 3 }]),
  ]);

  const served = rounds.get("service, Redis") as readonly IngestRound[];
  const yardstick = rounds.get("bare handler") as readonly Round[];
  const ratios = served.map((round, i) => round.eventsPerSecond / (yardstick[i]?.eventsPerSecond ?? Number.NaN));
  const rows = [...rounds].map(([name, results]) => {
    const middle = (value: (round: Round) => number): string => shown(median(results.map(value)));
    return [
      name,
      middle((round) => round.eventsPerSecond),
      middle((round) => round.cpuPerEvent),
      percent(median(results.map((round) => round.cpuMs / round.wallMs))),
      percent(median(results.map((round) => round.clientShare))),
      percent(median(results.map((round) => round.loadCoreShare))),
      results === served ? shown(median(served.map((round) => round.redisScripts))) : "",
      results === served ? shown(median(served.map((round) => round.redisCpu))) : "",
    ];
  });
  return {
    tables: [
      {
        title: `Ingest: signed forms of ${EVENTS_PER_POST} events, ${IN_FLIGHT} in flight, no subscriber, at the retention limit of ${retention.toLocaleString("en")}`,
        columns: [
          "",
          "events/s",
          "CPU µs an event",
          "its core",
          "client",
          "load core",
          "µs in Redis' scripts",
          "CPU µs of Redis",
        ],
        rows,
        notes: [
          `Service on Redis to bare handler, events/s pair by pair: ${ratios.map(shown).join(" ")}. Redis and the client share the load core; Redis keeps its append-only file, synced every second.`,
        ],
      },
    ],
    figures: [
      {
        name: "ingest on Redis: events/s of the bare handler's",
        value: pairedRatio(served, yardstick, (round) => round.eventsPerSecond),
        sense: "at least",
        goal: 0.4,
        unit: " times",
      },
    ],
    data: Object.fromEntries(rounds),
  };
}

async function withRedisCost(redis: BenchRedis, take: () => Promise<Round>): Promise<IngestRound> {
  const before = await redis.cost();
  const cpuBefore = cpuMs(redis.pid);
  const round = await take();
  const cpu = cpuMs(redis.pid) - cpuBefore;
  const after = await redis.cost();
  return {
    ...round,
    redisScripts: (after.micros - before.micros) / round.events,
    redisCpu: (cpu * 1_000) / round.events,
  };
}

export const ingest: Question = {
  name: "ingest",
  asks: "How many events a second does one core take in?",
  answer,
};
