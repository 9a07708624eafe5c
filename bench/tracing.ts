import { type Collector, startCollector } from "./harness/collector.ts";
import { type Contender, createContender, measure, type Round } from "./harness/contender.ts";
import { startRedis } from "./harness/redis.ts";
import { type Answer, type Figure, shown, type Table } from "./harness/report.ts";
import { alternate, median, pairedRatio } from "./harness/rounds.ts";
import { startService } from "./harness/stack.ts";
import { untracedService } from "./harness/untraced-service.ts";
import type { Bench, Question } from "./question.ts";

const OFF = "tracing off";
const CUT_OUT = "tracing cut out";
/** The same as the first: how much two that are alike differ. */
const OFF_AGAIN = "tracing off, again";
const ON = "tracing on";

/** At which the log is kept: small, so that it is full at once and stays as it is. */
const RETENTION = 10_000;

interface Load {
  readonly name: string;
  readonly listeners: number;
  readonly eventsPerPost: number;
  readonly inFlight: number;
}

/** Tracing works by batch: it weighs most where a batch is one event. */
const LOADS: readonly Load[] = [
  { name: "one event a POST, one subscriber", listeners: 1, eventsPerPost: 1, inFlight: 4 },
  { name: "100 events a POST, no subscriber", listeners: 0, eventsPerPost: 100, inFlight: 4 },
];

type Rounds = ReadonlyMap<string, readonly Round[]>;

async function answer(bench: Bench): Promise<Answer> {
  const collector = bench.use(await startCollector());
  const contenders = await startContenders(bench, collector);
  const measured: { readonly load: Load; readonly rounds: Rounds }[] = [];
  for (const load of LOADS) measured.push({ load, rounds: await measureLoad(bench, contenders, load) });
  if (collector.spans === 0) throw new Error("the collector got no span: tracing was not on");
  return {
    tables: measured.map(({ load, rounds }) => tableOf(load, rounds)),
    figures: measured.map(({ load, rounds }) => figureOf(load, rounds)),
    data: measured.map(({ load, rounds }) => ({ load, rounds: Object.fromEntries(rounds) })),
  };
}

async function startContenders(bench: Bench, { url }: Collector): Promise<ReadonlyMap<string, Contender>> {
  const { say, use, prefix, nodeFlags } = bench;
  say("starting Redis, the service three times, and once with tracing cut out of its sources");
  const redis = use(await startRedis());
  const start = async (name: string, main?: string, settings: Record<string, string> = {}) => {
    const service = await startService({
      main,
      log: { redisUrl: redis.url, prefix: name.replaceAll(/\W+/g, "-") },
      settings: { RETENTION_EVENTS: String(RETENTION), ...settings },
      nodeFlags,
    });
    const contender = use(createContender(service, prefix));
    await contender.listen(0);
    const posts = Math.ceil((1.1 * RETENTION) / 100);
    await measure(contender, { ...planOf({ eventsPerPost: 100, inFlight: 4, listeners: 0 }), posts, forMs: Infinity });
    return [name, contender] as const;
  };
  return new Map([
    await start(OFF),
    await start(CUT_OUT, untracedService()),
    await start(OFF_AGAIN),
    await start(ON, undefined, { OTEL_EXPORTER_OTLP_ENDPOINT: url }),
  ]);
}

function planOf({ listeners, eventsPerPost, inFlight }: Omit<Load, "name">) {
  const audience = listeners === 0 ? "nobody" : "everyone";
  return { audience, eventsPerPost, inFlight, until: "answered" } as const;
}

async function measureLoad(
  { quick, say }: Bench,
  contenders: ReadonlyMap<string, Contender>,
  load: Load,
): Promise<Rounds> {
  say(load.name);
  const take = (contender: Contender, forMs: number) => measure(contender, { ...planOf(load), forMs });
  for (const contender of contenders.values()) {
    await contender.listen(load.listeners);
    await take(contender, quick ? 800 : 2_500);
  }
  const turns = [...contenders].map(([name, contender]) => ({
    name,
    take: () => take(contender, quick ? 400 : 700),
  }));
  // Short turns and many: what is compared is next to each other in time.
  return alternate(quick ? 4 : 21, turns);
}

const cpuPerPost = ({ eventsPerPost }: Load, { cpuPerEvent }: Round): number => cpuPerEvent * eventsPerPost;

/** To that with tracing cut out, pair by pair. */
function ratioOf(rounds: Rounds, ...names: readonly string[]): number {
  const of = (name: string) => rounds.get(name) as readonly Round[];
  const these = names.flatMap(of);
  const those = names.flatMap(() => of(CUT_OUT));
  return pairedRatio(these, those, ({ cpuPerEvent }) => cpuPerEvent);
}

function tableOf(load: Load, rounds: Rounds): Table {
  return {
    title: `Tracing: ${load.name}`,
    columns: ["", "CPU µs a POST", `to "${CUT_OUT}", pair by pair`, "POSTs/s"],
    rows: [...rounds].map(([name, results]) => [
      name,
      shown(median(results.map((round) => cpuPerPost(load, round)))),
      name === CUT_OUT ? "" : shown(ratioOf(rounds, name)),
      shown(median(results.map(({ eventsPerSecond }) => eventsPerSecond / load.eventsPerPost))),
    ]),
    notes: [`"${OFF_AGAIN}" is another process of the same as "${OFF}": what two of a kind differ by is no cost.`],
  };
}

function figureOf(load: Load, rounds: Rounds): Figure {
  return {
    name: `tracing off: CPU of that with tracing cut out, ${load.name}`,
    value: ratioOf(rounds, OFF, OFF_AGAIN),
    sense: "at most",
    goal: 1.03,
    unit: " times",
  };
}

export const tracing: Question = {
  name: "tracing",
  asks: "What does tracing cost where it is off, and where it is on?",
  answer,
};
