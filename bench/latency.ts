import { type Contender, createContender, measure, type Round } from "./harness/contender.ts";
import { startRedis } from "./harness/redis.ts";
import { type Answer, percent, shown } from "./harness/report.ts";
import { alternate, median, pairedRatio } from "./harness/rounds.ts";
import {
  type Stack,
  startBareBroadcast,
  startDocumentedStack,
  startNchanStack,
  startService,
} from "./harness/stack.ts";
import type { Bench, Question } from "./question.ts";

const SUBSCRIBERS = 1_000;
/** Milliseconds between two events: ten a second. */
const EVERY = 100;

async function answer({ quick, say, use, prefix, nodeFlags }: Bench): Promise<Answer> {
  say(`connecting ${SUBSCRIBERS} subscribers to each stack`);
  const redis = use(await startRedis());
  const contend = (stack: Stack): Contender => use(createContender(stack, prefix));
  const service = contend(await startService({ log: { redisUrl: redis.url, prefix: "latency" }, nodeFlags }));
  const readyString = await service.listen(SUBSCRIBERS);
  const others = quick ? [] : [await startDocumentedStack(redis.url), await startNchanStack(readyString)];
  const contenders = [
    service,
    contend(await startBareBroadcast(readyString)),
    ...others.filter((stack) => stack !== null).map(contend),
  ];
  const posts = quick ? 15 : 100;
  const plan = {
    audience: "everyone",
    eventsPerPost: 1,
    inFlight: 4,
    until: "answered",
    everyMs: EVERY,
    posts,
    forMs: Number.POSITIVE_INFINITY,
  } as const;
  for (const contender of contenders.slice(1)) await contender.listen(SUBSCRIBERS);
  for (const contender of contenders) await measure(contender, { ...plan, everyMs: 20, posts: quick ? 10 : 100 });
  say("posting ten events a second");
  const rounds = await alternate(
    quick ? 1 : 5,
    contenders.map((contender, index) => ({
      name: contender.stack.name,
      take: () => measure(contender, plan),
      rounds: index < 2 ? undefined : 2,
    })),
  );
  const served = rounds.get("service") as readonly Round[];
  const yardstick = rounds.get("bare ws") as readonly Round[];
  const ratios = served.map((round, i) => round.p99 / (yardstick[i]?.p99 ?? Number.NaN));
  return {
    tables: [
      {
        title: `From POST to frame: ${SUBSCRIBERS.toLocaleString("en")} subscribers, 10 events a second`,
        columns: ["", "p50 ms", "p99 ms", "its core", "client"],
        rows: [...rounds].map(([name, results]) => [
          name,
          shown(median(results.map(({ p50 }) => p50))),
          shown(median(results.map(({ p99 }) => p99))),
          percent(median(results.map((round) => round.cpuMs / round.wallMs))),
          percent(median(results.map((round) => round.clientShare))),
        ]),
        notes: [
          `Over all deliveries of a round, by the client's clock. p99 of the service to that of the bare broadcast, pair by pair: ${ratios.map(shown).join(" ")}.`,
        ],
      },
    ],
    figures: [
      {
        name: "latency: p99 of the bare broadcast's",
        value: pairedRatio(served, yardstick, ({ p99 }) => p99),
        sense: "at most",
        goal: 1.25,
        unit: " times",
      },
    ],
    data: Object.fromEntries(rounds),
  };
}

export const latency: Question = {
  name: "latency",
  asks: "How long does an event take from the POST to the last frame?",
  answer,
};
