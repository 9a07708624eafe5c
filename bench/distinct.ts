import { EVENT_TYPES } from "../src/event/event-type.ts";
import {
  type Contender,
  createContender,
  EVERYONE,
  measure,
  type Round,
  SUBSCRIBE_TO_ALL,
  subscribePayload,
} from "./harness/contender.ts";
import { startRedis } from "./harness/redis.ts";
import { type Answer, type Figure, shown, type Table } from "./harness/report.ts";
import { alternate, median, pairedRatio } from "./harness/rounds.ts";
import { type Stack, startDocumentedStack, startService } from "./harness/stack.ts";
import type { Recipients } from "./load/request-body.ts";
import { recipientAddress, SELECTION } from "./load/sample-event.ts";
import type { Bench, Question } from "./question.ts";

const SINGLE = { eventsPerPost: 1, inFlight: 4, until: "answered" } as const;
const BATCH = { eventsPerPost: 100, inFlight: 1, until: "delivered" } as const;

/** Each with a document of its own: the subject under another alias. */
function otherDocuments(count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => {
    const alias = `subject${String(i).padStart(5, "0")}`;
    return subscribePayload(`subscription { eventReceived { ${SELECTION.replace("subject", `${alias}: subject`)} } }`);
  });
}

/** One document; each takes another set of types, and all take clicks. */
function otherFilters(count: number): readonly string[] {
  const query = `subscription ($types: [EventType!]) { eventReceived(types: $types) { ${SELECTION} } }`;
  const others = EVENT_TYPES.filter((type) => type !== "click");
  return Array.from({ length: count }, (_, i) => {
    // The bits of a number pick a subset: 8,192 of them are different.
    const types = others.filter((_type, bit) => Math.floor((i + 1) / 2 ** bit) % 2 === 1);
    return subscribePayload(query, { types: ["click", ...types] });
  });
}

/** One document; each takes what is about another recipient. */
function otherRecipients(count: number): readonly string[] {
  const query = `subscription ($email: String) { eventReceived(email: $email) { ${SELECTION} } }`;
  return Array.from({ length: count }, (_, i) => subscribePayload(query, { email: recipientAddress(i) }));
}

interface Part {
  readonly table: Table;
  readonly figures: readonly Figure[];
  readonly data: unknown;
}

/** What parts share: two services of one kind, so that one can have the usual listeners and the other unusual ones. */
interface Ground {
  readonly bench: Bench;
  readonly usual: Contender;
  readonly unusual: Contender;
  readonly documented: Contender;
}

async function answer(bench: Bench): Promise<Answer> {
  const { say, use, prefix, nodeFlags } = bench;
  say("starting Redis, two services and the documented stack");
  const redis = use(await startRedis());
  const contend = (stack: Stack): Contender => use(createContender(stack, prefix));
  const start = async (name: string): Promise<Contender> => {
    return contend(await startService({ log: { redisUrl: redis.url, prefix: name }, nodeFlags }));
  };
  const ground: Ground = {
    bench,
    usual: await start("usual"),
    unusual: await start("unusual"),
    documented: contend(await startDocumentedStack(redis.url)),
  };
  const parts = [await documents(ground), await filters(ground), await recipients(ground)];
  return {
    tables: parts.map(({ table }) => table),
    figures: parts.flatMap(({ figures }) => figures),
    data: parts.map(({ data }) => data),
  };
}

async function documents({ bench: { quick, say }, unusual: service, documented }: Ground): Promise<Part> {
  const subscribers = quick ? 300 : 1_000;
  say(`${subscribers} subscribers, each with another document`);
  const payloads = otherDocuments(subscribers);
  for (const contender of [service, documented]) await contender.listen(subscribers, payloads);
  const plan = { ...SINGLE, audience: "everyone", forMs: quick ? 200 : 2_000 } as const;
  const rounds = await alternate(quick ? 1 : 5, [
    { name: "service", take: () => measure(service, plan) },
    { name: "documented stack", take: () => measure(documented, plan) },
  ]);
  await documented.loader.drop();
  const ratio = comparison(rounds, "service", "documented stack", (round) => round.cpuPerDelivery);
  return {
    table: {
      title: `${subscribers.toLocaleString("en")} subscribers, each with another document, every event for all of them; single events, 4 in flight`,
      columns: ["", "CPU µs a delivery"],
      rows: [...rounds].map(([name, results]) => [name, shown(median(results.map((round) => round.cpuPerDelivery)))]),
      notes: [`Pair by pair: ${ratio.pairs}.`],
    },
    figures: [
      {
        name: "another document each: CPU a delivery of the documented stack's",
        value: ratio.middle,
        sense: "at most",
        goal: 0.25,
        unit: " times",
      },
    ],
    data: Object.fromEntries(rounds),
  };
}

async function filters({ bench: { quick, say }, usual: same, unusual: different }: Ground): Promise<Part> {
  const subscribers = quick ? 300 : 1_000;
  say(`${subscribers} subscribers who differ in filter variables alone`);
  await same.listen(subscribers, [SUBSCRIBE_TO_ALL]);
  await different.listen(subscribers, otherFilters(subscribers));
  const rows: string[][] = [];
  const figures: Figure[] = [];
  const data: unknown[] = [];
  for (const [name, mode] of [
    ["single, 4 in flight", SINGLE],
    ["batch of 100", BATCH],
  ] as const) {
    const plan = { ...mode, audience: "everyone", forMs: quick ? 200 : 1_500 } as const;
    for (const contender of [same, different]) await measure(contender, { ...plan, forMs: plan.forMs / 2 });
    const rounds = await alternate(quick ? 1 : 5, [
      { name: "other filters", take: () => measure(different, plan) },
      { name: "one filter", take: () => measure(same, plan) },
    ]);
    const ratio = comparison(rounds, "other filters", "one filter", (round) => round.cpuPerDelivery);
    const middle = (who: string): string => {
      return shown(median((rounds.get(who) ?? []).map((round) => round.cpuPerDelivery)));
    };
    rows.push([name, middle("one filter"), middle("other filters"), ratio.pairs]);
    figures.push({
      name: `other filter variables each, ${name}: CPU a delivery of one group's`,
      value: ratio.middle,
      sense: "at most",
      goal: 1.5,
      unit: " times",
    });
    data.push({ mode: name, rounds: Object.fromEntries(rounds) });
  }
  return {
    table: {
      title: `${subscribers.toLocaleString("en")} subscribers of one document, every event for all of them: CPU µs a delivery`,
      columns: ["posting", "one filter", "another filter each", "pair by pair"],
      rows,
    },
    figures,
    data,
  };
}

async function recipients({ bench: { quick, say }, usual: one, unusual: many }: Ground): Promise<Part> {
  const subscribers = quick ? 1_000 : 5_000;
  say(`${subscribers} subscribers with different recipients`);
  await one.listen(1, otherRecipients(1));
  await many.listen(subscribers, otherRecipients(subscribers), { count: subscribers, samePerPost: false });
  const plan = { ...BATCH, audience: "one", forMs: quick ? 200 : 2_000 } as const;
  const post = (contender: Contender, of: Recipients) => () => measure(contender, { ...plan, recipients: of });
  const turns = {
    "1 subscriber": post(one, EVERYONE),
    "many, a POST for one of them": post(many, { count: subscribers, samePerPost: true }),
    "many, a POST for a hundred of them": post(many, { count: subscribers, samePerPost: false }),
  };
  for (const take of Object.values(turns)) await take();
  const rounds = await alternate(
    quick ? 1 : 5,
    Object.entries(turns).map(([name, take]) => ({ name, take })),
  );
  const perEvent = (round: Round): number => round.cpuPerEvent;
  const figures = Object.keys(turns)
    .slice(1)
    .map((name): Figure => {
      const { middle } = comparison(rounds, name, "1 subscriber", perEvent);
      return {
        name: `${name}: CPU an event of that with one subscriber`,
        value: middle,
        sense: "at most",
        goal: 1.3,
        unit: " times",
      };
    });
  return {
    table: {
      title: `${subscribers.toLocaleString("en")} subscribers with different recipients, an event for one of them; batches of 100`,
      columns: ["", "CPU µs an event", "to one subscriber, pair by pair"],
      rows: [...rounds].map(([name, results]) => [
        name,
        shown(median(results.map(perEvent))),
        comparison(rounds, name, "1 subscriber", perEvent).pairs,
      ]),
      notes: [
        "A POST for a hundred of them writes to a hundred sockets where the others write to one: that is the kernel's share.",
      ],
    },
    figures,
    data: Object.fromEntries(rounds),
  };
}

function comparison(
  rounds: ReadonlyMap<string, readonly Round[]>,
  these: string,
  those: string,
  value: (round: Round) => number,
): { readonly middle: number; readonly pairs: string } {
  const [a, b] = [rounds.get(these) ?? [], rounds.get(those) ?? []];
  return {
    middle: pairedRatio(a, b, value),
    pairs: a.map((round, i) => shown(value(round) / value(b[i] as Round))).join(" "),
  };
}

export const distinct: Question = {
  name: "distinct",
  asks: "What if every subscriber wants something else?",
  answer,
};
