import { type Contender, createContender, measure, type Round } from "./harness/contender.ts";
import { startRedis } from "./harness/redis.ts";
import { type Answer, type Figure, type Plot, percent, shown, type Table } from "./harness/report.ts";
import { alternate, median, pairedRatio } from "./harness/rounds.ts";
import {
  type Stack,
  type StackName,
  startBareBroadcast,
  startDocumentedStack,
  startNchanStack,
  startService,
} from "./harness/stack.ts";
import type { Bench, Question } from "./question.ts";

interface Mode {
  readonly name: string;
  readonly eventsPerPost: number;
  readonly inFlight: number;
  readonly until: "answered" | "delivered";
}

const MODES = {
  one: { name: "single, 1 in flight", eventsPerPost: 1, inFlight: 1, until: "answered" },
  oneDelivered: { name: "single, 1 at a time", eventsPerPost: 1, inFlight: 1, until: "delivered" },
  four: { name: "single, 4 in flight", eventsPerPost: 1, inFlight: 4, until: "answered" },
  batch: { name: "batch of 100", eventsPerPost: 100, inFlight: 1, until: "delivered" },
} as const satisfies Record<string, Mode>;
type ModeName = keyof typeof MODES;
const QUICK_MODES: readonly ModeName[] = ["oneDelivered", "four", "batch"];

/** The documented stack needs some 80 µs a delivery: more than this many deliveries a POST would take minutes. */
const DOCUMENTED_MOST = { quick: 10_000, full: 100_000 };
const DOCUMENTED_ROUNDS = { quick: 1, full: 2 };

/** Posts after which hardly anything is compiled any more. */
const COMPILED_AFTER = 5_000;

/** The rounds of one number of subscribers and one mode, by stack. */
interface Cell {
  readonly subscribers: number;
  readonly mode: ModeName;
  readonly rounds: ReadonlyMap<string, readonly Round[]>;
}

async function answer(bench: Bench): Promise<Answer> {
  const { quick, say } = bench;
  const counts = quick ? [1_000] : [200, 1_000, 5_000];
  const contenders = await startContenders(bench);
  const cells: Cell[] = [];
  say("posting to each stack while nobody listens, until its code is compiled for speed");
  for (const contender of contenders) {
    await contender.listen(0);
    await measure(contender, {
      ...MODES.four,
      audience: "nobody",
      posts: quick ? 500 : COMPILED_AFTER,
      forMs: Infinity,
    });
  }
  for (const subscribers of counts) {
    say(`connecting ${subscribers} subscribers to each stack`);
    for (const contender of contenders) {
      await contender.listen(subscribers);
      // The more code there is, the longer it takes to be compiled for speed.
      await measure(contender, { ...MODES.four, audience: "everyone", forMs: quick ? 400 : 2_000 });
    }
    for (const mode of quick ? QUICK_MODES : (Object.keys(MODES) as ModeName[])) {
      cells.push(await measureCell(bench, contenders, subscribers, mode));
    }
  }
  const names = contenders.map(({ stack }) => stack.name);
  return {
    tables: [cpuTable(cells, names), ratioTable(cells, names), detailTable(cells, names)],
    figures: figuresOf(cells),
    plot: plotOf(cells, names),
    data: cells.map(({ rounds, ...cell }) => ({ ...cell, rounds: Object.fromEntries(rounds) })),
  };
}

async function startContenders({ quick, use, say, prefix, nodeFlags }: Bench): Promise<readonly Contender[]> {
  say("starting Redis, the service and what it is compared with");
  const redis = use(await startRedis());
  const contend = (stack: Stack): Contender => use(createContender(stack, prefix));
  const service = contend(await startService({ log: { redisUrl: redis.url, prefix: "fan-out" }, nodeFlags }));
  // The yardstick sends what the service sends, byte for byte but for the number.
  const readyString = await service.listen(1);
  const nchan = quick ? null : await startNchanStack(readyString);
  if (!quick && nchan === null) say("Nchan is not installed (libnginx-mod-nchan): it is left out");
  return [
    service,
    contend(await startBareBroadcast(readyString)),
    contend(await startDocumentedStack(redis.url)),
    ...(nchan === null ? [] : [contend(nchan)]),
  ];
}

async function measureCell(
  { quick, say }: Bench,
  contenders: readonly Contender[],
  subscribers: number,
  mode: ModeName,
): Promise<Cell> {
  const { name, ...posting } = MODES[mode];
  const pace = quick ? "quick" : "full";
  const takePart = contenders.filter(
    ({ stack }) => stack.name !== "documented stack" || posting.eventsPerPost * subscribers <= DOCUMENTED_MOST[pace],
  );
  const plan = { ...posting, audience: "everyone", forMs: quick ? 300 : 1_500 } as const;
  const warmUp = { ...plan, forMs: plan.forMs / 2 };
  for (const contender of takePart) {
    if (!quick && contender.stack.name !== "documented stack") await measure(contender, warmUp);
  }
  const rounds = await alternate(
    quick ? 2 : 5,
    takePart.map((contender) => ({
      name: contender.stack.name,
      take: () => measure(contender, plan),
      rounds: contender.stack.name === "documented stack" ? DOCUMENTED_ROUNDS[pace] : undefined,
    })),
  );
  const ratio = ratioOf({ subscribers, mode, rounds }, "service", "bare ws");
  say(`${subscribers} subscribers, ${name}: ${shown(ratio)} of the bare broadcast`);
  return { subscribers, mode, rounds };
}

function roundsOf({ rounds }: Cell, name: StackName): readonly Round[] {
  return rounds.get(name) ?? [];
}

function cpuOf(cell: Cell, name: StackName): number {
  return median(roundsOf(cell, name).map(({ cpuPerDelivery }) => cpuPerDelivery));
}

function ratioOf(cell: Cell, name: StackName, to: StackName): number {
  return pairedRatio(roundsOf(cell, name), roundsOf(cell, to), ({ cpuPerDelivery }) => cpuPerDelivery);
}

function labelOf({ subscribers, mode }: Cell): string {
  return `${subscribers.toLocaleString("en")}, ${MODES[mode].name}`;
}

function cpuTable(cells: readonly Cell[], names: readonly StackName[]): Table {
  return {
    title: "CPU µs a delivery",
    columns: ["subscribers, posting", ...names],
    rows: cells.map((cell) => [labelOf(cell), ...names.map((name) => shown(cpuOf(cell, name)))]),
    notes: [
      "In flight: until answered. 1 at a time, and batches: until every frame of it has arrived as well, so that nothing is coalesced across POSTs. – was left out: it would take minutes.",
    ],
  };
}

function ratioTable(cells: readonly Cell[], names: readonly StackName[]): Table {
  const others = names.filter((name) => name !== "bare ws");
  const pairs = (cell: Cell): string => {
    const bare = roundsOf(cell, "bare ws");
    const ratios = roundsOf(cell, "service").map((round, i) => {
      return shown(round.cpuPerDelivery / (bare[i]?.cpuPerDelivery ?? Number.NaN));
    });
    return ratios.join(" ");
  };
  return {
    title: "CPU a delivery, as a ratio to the bare broadcast",
    columns: ["subscribers, posting", ...others, "service, pair by pair"],
    rows: cells.map((cell) => [
      labelOf(cell),
      ...others.map((name) => shown(ratioOf(cell, name, "bare ws"))),
      pairs(cell),
    ]),
  };
}

function detailTable(cells: readonly Cell[], names: readonly StackName[]): Table {
  const rows = cells.flatMap((cell) => {
    return names
      .filter((name) => roundsOf(cell, name).length > 0)
      .map((name) => {
        const rounds = roundsOf(cell, name);
        const middle = (value: (round: Round) => number): number => median(rounds.map(value));
        return [
          labelOf(cell),
          name,
          shown(middle((round) => round.deliveriesPerSecond)),
          shown(middle(({ p50 }) => p50)),
          shown(middle(({ p99 }) => p99)),
          percent(middle(({ cpuMs, wallMs }) => cpuMs / wallMs)),
          percent(middle(({ clientShare }) => clientShare)),
          percent(middle(({ loadCoreShare }) => loadCoreShare)),
        ];
      });
  });
  return {
    title: "Throughput, time from POST to frame, and who was busy",
    columns: ["subscribers, posting", "stack", "deliveries/s", "p50 ms", "p99 ms", "its core", "client", "load core"],
    rows,
    notes: [
      "Every delivery was counted and checked. Where the client is at 100 %, it is the throughput that it limits; the CPU a delivery stays what it is.",
    ],
  };
}

function plotOf(cells: readonly Cell[], names: readonly StackName[]): Plot {
  return {
    title: "CPU µs a delivery, by subscribers and posting",
    subtitle: "Logarithmic; less is better.",
    categories: cells.map(labelOf),
    series: names.map((name) => ({
      name,
      values: cells.map((cell) => (roundsOf(cell, name).length > 0 ? cpuOf(cell, name) : null)),
    })),
  };
}

function figuresOf(cells: readonly Cell[]): readonly Figure[] {
  const goals: readonly { readonly mode: ModeName; readonly to: StackName; readonly goal: number }[] = [
    { mode: "one", to: "bare ws", goal: 0.85 },
    { mode: "oneDelivered", to: "bare ws", goal: 0.85 },
    { mode: "four", to: "bare ws", goal: 0.45 },
    { mode: "batch", to: "bare ws", goal: 1 / 22 },
    { mode: "batch", to: "Nchan", goal: 1 },
    { mode: "four", to: "documented stack", goal: 1 / 15 },
    { mode: "batch", to: "documented stack", goal: 1 / 150 },
  ];
  const ratios = cells.flatMap((cell) => {
    return goals
      .filter(({ mode, to }) => mode === cell.mode && cell.subscribers >= 1_000 && roundsOf(cell, to).length > 0)
      .map(({ to, goal }): Figure => {
        const name = `${labelOf(cell)}: CPU of ${to}`;
        return { name, value: ratioOf(cell, "service", to), sense: "at most", goal, unit: " times" };
      });
  });
  return [...ratios, ...growthOf(cells)];
}

/** By how much a delivery gets dearer from the fewest subscribers to the most, against the bare broadcast. */
function growthOf(cells: readonly Cell[]): readonly Figure[] {
  return (Object.keys(MODES) as ModeName[]).flatMap((mode) => {
    const same = cells.filter((cell) => cell.mode === mode);
    const [few, many] = [same.at(0), same.at(-1)];
    if (few === undefined || many === undefined || few === many) return [];
    const growth = (name: StackName): number => cpuOf(many, name) / cpuOf(few, name);
    return [
      {
        name: `growth from ${few.subscribers} to ${many.subscribers}, ${MODES[mode].name}`,
        value: growth("service"),
        sense: "at most",
        goal: growth("bare ws"),
        unit: " times",
      } satisfies Figure,
    ];
  });
}

export const fanOut: Question = {
  name: "fan-out",
  asks: "What does it cost to hand one event to many subscribers?",
  answer,
};
