import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { Event } from "../../src/event/event.ts";
import { type EventFilter, type FilterField, matchesFilter } from "../../src/event/event-filter.ts";
import { EVENT_TYPES, type EventType } from "../../src/event/event-type.ts";
import type { CountQuery, CountRow, EventLog, FindQuery, LogLimits } from "../../src/event-log/event-log.ts";
import { openRedisEventLog } from "../../src/event-log/redis/redis-event-log.ts";
import { SCRIPTS, Script } from "../../src/event-log/redis/script.ts";
import { sampleEvent } from "../harness/event-samples.ts";
import { makeFormerLog } from "../harness/former-log.ts";
import { type RedisServer, startRedisServer } from "../harness/redis-server.ts";

const MINUTE = 60_000;
/** Entries that Redis keeps above the limit so that runs of trimming are worth their while. */
const SLACK = 2;
const STEPS = 250;
/** The start of a minute. */
const BEGIN = 1_900_000_020_000;
/** Half a minute divides every limit: times fall together with borders, which is where mistakes are made. */
const STEP = MINUTE / 2;

let server: RedisServer;
let eventLog: EventLog;
beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(() => server.stop());
afterEach(async () => {
  vi.restoreAllMocks();
  await eventLog.close();
});

/** Sets the clock that the scripts read: their text is the real one but for that line. */
function setClock(time: number): void {
  for (const script of [SCRIPTS.ofTerms, SCRIPTS.ofSets].flatMap(({ append, trim }) => [append, trim])) {
    const seconds = Math.floor(time / 1_000);
    const text = script.text.replace("call('TIME')", `{ ${seconds}, ${(time - seconds * 1_000) * 1_000} }`);
    expect(text).not.toBe(script.text);
    const atThatTime = new Script(script.name, text);
    vi.spyOn(script, "run").mockImplementation((...args) => atThatTime.run(...args));
  }
}

interface ModelEntry {
  readonly number: number;
  readonly event: Event;
  readonly receivedAt: number;
}

/** The contract in the plainest words: everything that was ever appended, and how far it is gone. */
class Model {
  readonly #limits: LogLimits;
  readonly entries: ModelEntry[] = [];
  kept = 1;
  countsFrom = 0;

  constructor(limits: LogLimits) {
    this.#limits = limits;
  }

  get head(): number {
    return this.entries.length;
  }
  get oldest(): number {
    return Math.max(this.kept, this.head - this.#limits.retentionEvents + 1);
  }
  get held(): ModelEntry[] {
    return this.entries.filter(({ number }) => number >= this.oldest);
  }

  isKnown(id: string, now: number): boolean {
    const known = this.entries.findLast(({ event }) => event.id === id);
    if (known === undefined || known.number <= this.head - this.#limits.deduplicationEvents) return false;
    const border = now - this.#limits.deduplicationMs;
    if (known.number >= this.kept) return known.receivedAt > border;
    // Its own time went with it: the minute is known, and all of that has to be over.
    return Math.floor(known.receivedAt / MINUTE) >= Math.floor(border / MINUTE);
  }

  append(events: readonly Event[], now: number): number {
    const before = this.head;
    for (const event of events) {
      if (!this.isKnown(event.id, now)) this.entries.push({ number: this.head + 1, event, receivedAt: now });
    }
    return this.head - before;
  }

  /** Answers how many entries that were held are gone by their age. */
  trim(now: number): number {
    const before = this.oldest;
    const isOver = ({ number, receivedAt }: ModelEntry) =>
      number < this.head &&
      (number <= this.head - this.#limits.retentionEvents - SLACK || receivedAt < now - this.#limits.retentionMs);
    const first = this.entries.find((entry) => entry.number >= this.kept && !isOver(entry));
    if (first === undefined) return 0;
    this.kept = first.number;
    const minutes = [now - this.#limits.retentionMs, first.receivedAt].map((time) => Math.floor(time / MINUTE));
    this.countsFrom = Math.max(this.countsFrom, Math.min(...minutes));
    return this.oldest - before;
  }

  find({ filter, order, limit, from, since }: FindQuery): { numbers: number[]; hasMore: boolean } {
    const newestFirst = order === "newest-first";
    const matching = this.held
      .filter(({ number }) => number > (since?.number ?? 0))
      .filter(({ number }) => from === undefined || (newestFirst ? number < from.number : number > from.number))
      .filter(({ event }) => matchesFilter(filter, event))
      .map(({ number }) => number);
    if (newestFirst) matching.reverse();
    return { numbers: matching.slice(0, limit), hasMore: matching.length > limit };
  }

  count({ from, to, buckets, filter }: CountQuery): CountRow[] {
    const byMinute = filter.every(({ field }) => field === "type" || field === "subaccount");
    const totals = new Map<string, number>();
    for (const { number, event, receivedAt } of this.entries) {
      if (!matchesFilter(filter, event)) continue;
      const minute = Math.floor(receivedAt / MINUTE);
      if (number < this.oldest && !(byMinute && minute >= this.countsFrom)) continue;
      const time = number < this.oldest ? minute * MINUTE : receivedAt;
      if (time < from || time >= to) continue;
      const starts = Array.from({ length: buckets }, (_, i) => from + Math.ceil((i * (to - from)) / buckets));
      const key = `${starts.findLastIndex((start) => start <= time)} ${event.type}`;
      totals.set(key, (totals.get(key) ?? 0) + 1);
    }
    return Array.from({ length: buckets }, (_, bucket) =>
      EVENT_TYPES.map((type) => ({ bucket, type, count: totals.get(`${bucket} ${type}`) ?? 0 })),
    )
      .flat()
      .filter(({ count }) => count > 0);
  }
}

/** Numbers that look random, and are the same in every run (mulberry32). */
function createRandom(seed: number) {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (bound: number) => Math.floor(next() * bound);
  return { below, of: <T>(values: readonly T[]) => values[below(values.length)] as T };
}
type Random = ReturnType<typeof createRandom>;

const VALUES: Readonly<Record<FilterField, readonly string[]>> = {
  type: ["send", "open", "click", "spam"],
  email: ["a@example.com", "b@example.com", "c@example.com"],
  messageId: ["m1", "m2", "m3", "m4", "m5", "m6"],
  tag: ["t1", "t2", "t3", "none"],
  subaccount: ["s1", "s2", ""],
};

function randomEvent({ below, of }: Random): Event {
  return sampleEvent({
    id: `id-${below(60)}`,
    type: of(VALUES.type) as EventType,
    email: of([...VALUES.email, null]),
    messageId: of([...VALUES.messageId, null]),
    tags: VALUES.tag.slice(below(3), below(4)),
    subaccount: of([...VALUES.subaccount, null]),
  });
}

function randomFilter({ below, of }: Random, fields: readonly FilterField[]): EventFilter {
  return Array.from({ length: below(4) }, () => {
    const field = of(fields);
    return { field, anyOf: Array.from({ length: of([0, 1, 1, 1, 2, 3]) }, () => of(VALUES[field])) };
  });
}

async function checkFind(model: Model, random: Random): Promise<void> {
  const fields = ["type", "email", "messageId", "tag", "subaccount"] as const;
  const order = random.of(["newest-first", "oldest-first"] as const);
  const { entries: held } = await eventLog.find({ filter: [], order: "oldest-first", limit: 500 });
  const position = () => (random.below(3) === 0 ? random.of(held) : undefined);
  const query = {
    filter: randomFilter(random, fields),
    order,
    limit: 1 + random.below(12),
    from: position(),
    since: position(),
  };
  const page = await eventLog.find(query);
  const numbers = page.entries.map(({ number }) => number);
  expect({ numbers, hasMore: page.hasMore }, JSON.stringify(query)).toEqual(model.find(query));
  for (const { number, event, receivedAt } of page.entries) {
    expect({ number, event, receivedAt }).toEqual(model.entries[number - 1]);
  }
  expect(held.map(({ number }) => number)).toEqual(model.held.map(({ number }) => number));
  const { id } = random.of(model.entries).event;
  const found = await eventLog.findById(id);
  expect(found?.number).toBe(model.held.findLast(({ event }) => event.id === id)?.number);
}

async function checkCount(model: Model, random: Random, now: number): Promise<void> {
  const fields = random.of([
    ["type", "subaccount"],
    ["type", "subaccount"],
    ["type", "email", "tag"],
  ] as const);
  const time = () => random.of([random.of(model.entries).receivedAt, now]) + random.of([0, 0, 1, random.below(MINUTE)]);
  const [from, to] = [time(), time()].sort((one, other) => one - other) as [number, number];
  const query = { from, to, buckets: 1 + random.below(30), filter: randomFilter(random, fields) };
  expect(await eventLog.count(query), JSON.stringify({ query, oldest: model.oldest })).toEqual(model.count(query));
}

describe("a Redis log over hours", () => {
  // Windows of fewer entries than the log holds, of more, and of more for longer than it holds them.
  it.each([
    { seed: 1, deduplicationEvents: 12, deduplicationMs: 2.5 * MINUTE },
    { seed: 2, deduplicationEvents: 60, deduplicationMs: 2.5 * MINUTE },
    { seed: 3, deduplicationEvents: 60, deduplicationMs: 15 * MINUTE },
    { seed: 4, deduplicationEvents: 60, deduplicationMs: 15 * MINUTE },
    { seed: 5, deduplicationEvents: 60, deduplicationMs: 15 * MINUTE, isFormer: true },
    { seed: 6, deduplicationEvents: 12, deduplicationMs: 2.5 * MINUTE, isFormer: true },
  ])("does what the contract says, however time passes (seed $seed)", async ({ seed, isFormer, ...window }) => {
    const limits = { retentionEvents: 40, retentionMs: 10 * MINUTE, ...window };
    const connection = { kind: "standalone", url: server.url } as const;
    if (isFormer) await makeFormerLog(server.client, `model-${seed}`);
    eventLog = openRedisEventLog({ connection, prefix: `model-${seed}`, limits });
    const model = new Model(limits);
    const random = createRandom(seed);
    let now = BEGIN;
    for (let step = 0; step < STEPS; step++) {
      now += random.of([0, 0, 0, STEP, STEP, STEP, STEP, 3 * STEP, 8 * STEP]);
      if (random.below(8) === 0) now += random.of([1, STEP - 1, STEP + 1, random.below(MINUTE)]);
      else now = Math.ceil(now / STEP) * STEP;
      if (random.below(40) === 0) {
        // A long silence: everything but the newest entry goes, and that is over the age itself.
        now += 13 * MINUTE;
        setClock(now);
      } else {
        setClock(now);
        const batch = Array.from({ length: 1 + random.below(7) }, () => randomEvent(random));
        const appended = model.append(batch, now);
        const duplicates = batch.length - appended;
        expect(await eventLog.append(batch)).toEqual({ appended, duplicates, head: model.head });
      }
      expect(await eventLog.trim()).toBe(model.trim(now));
      await checkFind(model, random);
      await checkCount(model, random, now);
    }
    expect(model.oldest).toBeGreaterThan(2 * limits.retentionEvents);
  });
});
