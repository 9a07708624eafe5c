import { join } from "node:path";
import type { EventLog } from "../src/event-log/event-log.ts";
import { openRedisEventLog } from "../src/event-log/redis/redis-event-log.ts";
import { openSqliteEventLog } from "../src/event-log/sqlite/sqlite-event-log.ts";
import { RAW_EVENTS } from "../src/mandrill/raw-events.ts";
import { createGraphqlClient, type GraphqlClient } from "./harness/graphql-client.ts";
import { fillLog, limitsFor, RARE, storedBytes, VALUES } from "./harness/log-filler.ts";
import { startRedis, temporaryFolder } from "./harness/redis.ts";
import { type Answer, type Figure, shown, type Table } from "./harness/report.ts";
import { median } from "./harness/rounds.ts";
import { type ServiceOptions, startService } from "./harness/stack.ts";
import type { Bench, Question } from "./question.ts";

const FIRST = 50;
const QUERY = `query (
  $types: [EventType!], $email: String, $messageId: ID, $tag: String, $subaccount: String, $first: Int
) {
  recentEvents(
    types: $types, email: $email, messageId: $messageId, tag: $tag, subaccount: $subaccount, first: $first
  ) { nodes { id type email occurredAt } pageInfo { hasNextPage } }
}`;

interface Found {
  readonly recentEvents: { readonly nodes: readonly object[]; readonly pageInfo: { readonly hasNextPage: boolean } };
}

/** One filter, and how many of the first 50 it must find. */
interface Lookup {
  readonly name: string;
  readonly variables: object;
  readonly finds: number;
}

function lookups(): readonly Lookup[] {
  const single = Object.entries(VALUES).flatMap(([field, values]) => {
    const variables = (value: string): object => (field === "type" ? { types: [value] } : { [field]: value });
    return [
      { name: `${field}, common`, variables: variables(values.common), finds: FIRST },
      { name: `${field}, rare`, variables: variables(values.rare), finds: RARE },
      { name: `${field}, none`, variables: variables(values.none), finds: 0 },
    ];
  });
  const { type, email, tag } = VALUES;
  return [
    { name: "no filter", variables: {}, finds: FIRST },
    ...single,
    { name: "type and tag, common", variables: { types: [type.common], tag: tag.common }, finds: FIRST },
    { name: "type rare, tag common", variables: { types: [type.rare], tag: tag.common }, finds: 0 },
    { name: "type common, email rare", variables: { types: [type.common], email: email.rare }, finds: 0 },
    { name: "type and tag, common, never together", variables: { types: ["open"], tag: tag.common }, finds: 0 },
  ];
}

interface Log {
  readonly name: string;
  readonly open: (events: number) => EventLog | Promise<EventLog>;
  readonly service: (events: number) => ServiceOptions["log"];
}

async function answer(bench: Bench): Promise<Answer> {
  const { quick, say, use } = bench;
  const sizes = quick ? [10_000, 30_000] : [10_000, 1_000_000];
  const redis = use(await startRedis());
  const folders = new Map(sizes.map((size) => [size, temporaryFolder()]));
  const folderOf = (events: number): string => folders.get(events) as string;
  const prefixOf = (events: number): string => `reading-${events}`;
  const logs: readonly Log[] = [
    {
      name: "Redis",
      open: (events) => {
        const connection = { kind: "standalone", url: redis.url } as const;
        return openRedisEventLog({ connection, prefix: prefixOf(events), limits: limitsFor(events), form: RAW_EVENTS });
      },
      service: (events) => ({ redisUrl: redis.url, prefix: prefixOf(events) }),
    },
    {
      name: "SQLite",
      // The name that the service gives it.
      open: (events) =>
        openSqliteEventLog({
          file: join(folderOf(events), "events.sqlite"),
          limits: limitsFor(events),
          form: RAW_EVENTS,
        }),
      service: (events) => ({ folder: folderOf(events) }),
    },
  ];
  const tables: Table[] = [];
  const figures: Figure[] = [];
  const data: unknown[] = [];
  for (const log of logs) {
    const memoryBefore = await redis.usedMemory();
    for (const size of sizes) {
      say(`${log.name}: filling a log with ${size.toLocaleString("en")} events`);
      const eventLog = await log.open(size);
      await fillLog(eventLog, size, (done) => say(`${log.name}: ${done.toLocaleString("en")} appended`));
      await eventLog.close();
    }
    const memory = (await redis.usedMemory()) - memoryBefore;
    const rows = await ask(bench, log, sizes);
    tables.push(tableOf(log, sizes, rows, log.name === "Redis" ? memory : null));
    figures.push(figureOf(log, rows));
    data.push({ log: log.name, sizes, memory, rows });
  }
  return { tables, figures, data };
}

interface Row {
  readonly name: string;
  /** Milliseconds by size, in the order of the sizes. */
  readonly times: readonly number[];
}

/** Asks services on the logs of each size in turn, so that drift meets both. */
async function ask({ quick, say, use, nodeFlags }: Bench, log: Log, sizes: readonly number[]): Promise<readonly Row[]> {
  const clients: GraphqlClient[] = [];
  const services: { stop(): Promise<void> }[] = [];
  for (const size of sizes) {
    const settings = { RETENTION_EVENTS: String(size) };
    const service = use(await startService({ log: log.service(size), settings, nodeFlags }));
    services.push(service);
    clients.push(use(createGraphqlClient(service.target.port)));
  }
  const [warmUps, times] = quick ? [5, 11] : [50, 200];
  const rows: Row[] = [];
  say(`${log.name}: asking`);
  for (const { name, variables, finds } of lookups()) {
    const taken: number[][] = sizes.map(() => []);
    for (let time = -warmUps; time < times; time += 1) {
      for (const [i, client] of clients.entries()) {
        const begun = performance.now();
        const { recentEvents } = await client.query<Found>(QUERY, { first: FIRST, ...variables });
        const ms = performance.now() - begun;
        if (time >= 0) taken[i]?.push(ms);
        const found = recentEvents.nodes.length;
        if (found !== finds) throw new Error(`${log.name}, ${name}: found ${found} events, not ${finds}`);
      }
    }
    rows.push({ name, times: taken.map(median) });
  }
  for (const service of services) await service.stop();
  return rows;
}

function ratioOf({ times }: Row): number {
  return (times.at(-1) ?? Number.NaN) / (times.at(0) ?? Number.NaN);
}

function tableOf(log: Log, sizes: readonly number[], rows: readonly Row[], memory: number | null): Table {
  const largest = sizes.at(-1) ?? 0;
  const all = sizes.reduce((sum, size) => sum + size, 0);
  const taken =
    memory === null
      ? []
      : [
          `Redis holds ${shown(memory / 2 ** 20)} MiB for both logs: ${shown(memory / all)} bytes an event, indexes and deduplication included.`,
        ];
  return {
    title: `recentEvents(first: ${FIRST}) over HTTP on ${log.name}, ms`,
    columns: ["filter, match", ...sizes.map((size) => `${size.toLocaleString("en")} events`), "ratio"],
    rows: rows.map((row) => [row.name, ...row.times.map(shown), shown(ratioOf(row))]),
    notes: [
      `Median of a query's times. Stored events of ${storedBytes(largest)} bytes; ${RARE} of them bear a rare value, whatever the size.`,
      ...taken,
    ],
  };
}

function figureOf({ name }: Log, rows: readonly Row[]): Figure {
  const worst = rows.reduce((a, b) => (ratioOf(a) > ratioOf(b) ? a : b));
  return {
    name: `reading on ${name}: the largest log's time to the smallest's (worst: ${worst.name})`,
    value: ratioOf(worst),
    sense: "at most",
    goal: 2,
    unit: " times",
  };
}

export const reading: Question = {
  name: "reading",
  asks: "Does a page of recent events take longer in a large log?",
  answer,
};
