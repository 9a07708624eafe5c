import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Contender, createContender } from "./harness/contender.ts";
import { settledMemoryBytes } from "./harness/process-cost.ts";
import { startRedis } from "./harness/redis.ts";
import { type Answer, shown } from "./harness/report.ts";
import { alternate, median } from "./harness/rounds.ts";
import { type Stack, startBareBroadcast, startDocumentedStack, startService } from "./harness/stack.ts";
import type { Bench, Question } from "./question.ts";

const COLLECT = ["--expose-gc", "--import", fileURLToPath(new URL("./program/collect-garbage.ts", import.meta.url))];
/** Milliseconds that a collection may take. */
const COLLECTION = 500;
/** Subscribers that come and go before the first look, so that code and caches are there. */
const WARM_UP = 100;

/** Bytes a subscriber. */
interface Taken {
  /** After garbage was collected. */
  readonly held: number;
  /** As it came to rest by itself. */
  readonly settled: number;
}

async function answer({ quick, say, use, prefix }: Bench): Promise<Answer> {
  const subscribers = quick ? 2_000 : 5_000;
  const redis = use(await startRedis());
  let services = 0;
  const service = (): Promise<Stack> => {
    services += 1;
    return startService({ log: { redisUrl: redis.url, prefix: `memory-${services}` }, nodeFlags: COLLECT });
  };
  // What the bare broadcast sends: the service, whose turn is first, has sent it before.
  let readyString = "";
  const starts: Readonly<Record<string, () => Promise<Stack>>> = {
    service,
    "bare ws": () => startBareBroadcast(readyString, COLLECT),
    ...(quick ? {} : { "documented stack": () => startDocumentedStack(redis.url, COLLECT) }),
  };
  const rounds = await alternate(
    quick ? 1 : 3,
    Object.entries(starts).map(([name, start]) => ({
      name,
      take: async () => {
        // A process of its own each time: what sockets once took, an allocator keeps for the next.
        const contender = use(createContender(await start(), prefix));
        const frame = await contender.listen(WARM_UP);
        if (name === "service") readyString = frame;
        const taken = await bytesEach(contender, subscribers, quick ? 0 : 20_000);
        await contender.stop();
        say(`${name}: ${shown(taken.held / 1_024)} kB a subscriber`);
        return taken;
      },
      rounds: name === "documented stack" ? 1 : undefined,
    })),
  );
  const kilobytes = (name: string, value: keyof Taken): number => {
    return median((rounds.get(name) ?? []).map((taken) => taken[value])) / 1_024;
  };
  return {
    tables: [
      {
        title: `Memory an idle subscriber, of ${subscribers.toLocaleString("en")}`,
        columns: ["", "kB held", "kB by itself at rest"],
        rows: [...rounds.keys()].map((name) => [
          name,
          shown(kilobytes(name, "held")),
          shown(kilobytes(name, "settled")),
        ]),
        notes: [
          "Growth of the process (Pss) from no subscriber to all of them, each of which has got one event. Held: after a collection of garbage on both sides.",
        ],
      },
    ],
    figures: [
      {
        name: "memory an idle subscriber above the bare ws socket's",
        value: kilobytes("service", "held") - kilobytes("bare ws", "held"),
        sense: "at most",
        goal: 4,
        unit: " kB",
      },
    ],
    data: Object.fromEntries(rounds),
  };
}

async function bytesEach({ stack, loader, listen }: Contender, subscribers: number, withinMs: number): Promise<Taken> {
  await loader.drop();
  const empty = await collected(stack.pid, withinMs);
  await listen(subscribers);
  const settled = await settledMemoryBytes(stack.pid, withinMs);
  const held = await collected(stack.pid, withinMs);
  return { held: (held - empty) / subscribers, settled: (settled - empty) / subscribers };
}

/** Twice: what the first collection finds to be gone, the second lets go. */
async function collected(pid: number, withinMs: number): Promise<number> {
  for (let time = 0; time < 2; time += 1) {
    process.kill(pid, "SIGUSR2");
    await sleep(COLLECTION);
  }
  return settledMemoryBytes(pid, withinMs);
}

export const memory: Question = {
  name: "memory",
  asks: "What does an idle subscriber take?",
  answer,
};
