import { pino } from "pino";
import { afterEach, describe, expect, it } from "vitest";
import type { ServiceError } from "../../../src/error.ts";
import { type EventFilter, filterFromArguments } from "../../../src/event/event-filter.ts";
import { createHub, type Hub } from "../../../src/hub/hub.ts";
import type { Group, Run, Sink, Subscriber } from "../../../src/hub/subscriber.ts";
import { createScriptedLog, type ScriptedLog } from "../../harness/scripted-log.ts";

const GROUP: Group = { encode: (entries) => entries.map(({ number }) => Buffer.from(String(number))) };

/** A sink that keeps what it is offered, up to a bound that the test moves. */
class KeepingSink implements Sink {
  readonly numbers: number[] = [];
  offers = 0;
  bound = Number.POSITIVE_INFINITY;
  readonly ended = Promise.withResolvers<ServiceError>();
  #waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  readonly #drained: (() => void)[] = [];

  offer(run: Run, from: number): number {
    this.offers += 1;
    let index = from;
    while (index < run.entries.length && this.numbers.length < this.bound) {
      this.numbers.push(run.entries[index]!.number);
      index += 1;
    }
    this.#waiting = this.#waiting.filter(({ count, resolve }) => {
      if (this.numbers.length >= count) resolve();
      return this.numbers.length < count;
    });
    return index;
  }
  readonly isOpen: boolean = true;
  get hasRoom(): boolean {
    return this.numbers.length < this.bound;
  }
  drained(): Promise<void> {
    return new Promise((resolve) => this.#drained.push(resolve));
  }
  widen(bound: number): void {
    this.bound = bound;
    for (const resolve of this.#drained.splice(0)) resolve();
  }
  end(error: ServiceError): void {
    this.ended.resolve(error);
  }
  /** Resolves when so many entries have come. */
  has(count: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.numbers.length >= count) resolve();
      else this.#waiting.push({ count, resolve });
    });
  }
}

const OPENS = filterFromArguments({ types: ["open"] });
const opens = (count: number): { type: "open" }[] => Array.from({ length: count }, () => ({ type: "open" }));
const upTo = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);

let running: Hub[] = [];
afterEach(async () => {
  for (const hub of running) await hub.stop();
  running = [];
});

async function start(log: ScriptedLog, maxEntries = 1_000, maxReplays?: number): Promise<Hub> {
  const hub = createHub({
    eventLog: log,
    maxReplays,
    recentEntries: { maxEntries, maxBytes: 1e9 },
    logger: pino({ level: "silent" }),
  });
  running.push(hub);
  hub.start();
  if (!log.down) await hub.begun();
  await idle();
  return hub;
}

function listen(
  hub: Hub,
  filter: EventFilter = [],
  after: string | null = null,
): { sink: KeepingSink; subscriber: Subscriber } {
  const sink = new KeepingSink();
  return { sink, subscriber: hub.subscribe({ group: GROUP, filter, after, sink }) };
}

/** Resolves when everything that needs no I/O has run its course. */
function idle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe("a live subscriber", () => {
  it("gets what matches, in the log's order, from the moment it subscribes", async () => {
    const log = createScriptedLog();
    log.append(opens(3));
    const hub = await start(log);
    const { sink } = listen(hub, OPENS);
    log.append([{ type: "open" }, { type: "click" }, { type: "open" }]);
    log.append(opens(1));
    await sink.has(3);
    expect(sink.numbers).toEqual([4, 6, 7]);
  });

  it("gets nothing that was acknowledged before it subscribed, even where the feed has yet to read it", async () => {
    const log = createScriptedLog();
    const hub = await start(log);
    log.append(opens(3), "lost");
    hub.acknowledged(3);
    const { sink } = listen(hub);
    log.append(opens(2), "number");
    await sink.has(2);
    expect(sink.numbers).toEqual([4, 5]);
  });

  it("gets what a lost wake-up did not tell of, with the next one", async () => {
    const log = createScriptedLog();
    const hub = await start(log);
    const { sink } = listen(hub);
    log.append(opens(2), "lost");
    log.append(opens(1), "run");
    await sink.has(3);
    expect(sink.numbers).toEqual([1, 2, 3]);
  });

  it("gets what a lost wake-up did not tell of within the periodic look, without a next one", async () => {
    const log = createScriptedLog();
    const hub = await start(log);
    const { sink } = listen(hub);
    log.append(opens(2), "lost");
    await sink.has(2);
    expect(sink.numbers).toEqual([1, 2]);
  });

  it("costs no read of the log where the entries come along with the wake-up", async () => {
    const log = createScriptedLog();
    const hub = await start(log);
    const { sink } = listen(hub);
    await hub.begun();
    log.append(opens(1), "number");
    await sink.has(1);
    await idle();
    const before = log.reads;
    for (let count = 0; count < 50; count += 1) log.append(opens(2));
    await idle();
    expect(sink.numbers).toEqual(upTo(1, 101));
    expect(log.reads).toBe(before);
  });

  it("gets at once what comes in one turn, one subscriber after the other", async () => {
    const log = createScriptedLog();
    const hub = await start(log);
    const { sink } = listen(hub);
    const late = { sink: new KeepingSink() };
    for (let count = 0; count < 3; count += 1) log.append(opens(2));
    expect(hub.number).toBe(0);
    // Handed out with them, since it listens before they are.
    hub.subscribe({ group: GROUP, filter: [], after: null, sink: late.sink });
    await idle();
    expect([sink.numbers, late.sink.numbers]).toEqual([upTo(1, 6), upTo(1, 6)]);
    expect([sink.offers, hub.number]).toEqual([1, 6]);
  });

  it("that reads too slowly is ended with the place where it goes on, and nobody else is", async () => {
    const log = createScriptedLog();
    const hub = await start(log);
    const slow = listen(hub);
    const healthy = listen(hub);
    slow.sink.bound = 5;
    log.append(opens(3));
    log.append(opens(4));
    const error = await slow.sink.ended.promise;
    expect(error.code).toBe("SUBSCRIBER_LAGGED");
    expect(slow.sink.numbers).toEqual(upTo(1, 5));
    expect(error.extensions.after).toBe(log.entries[4]!.cursor);
    log.append(opens(1));
    await idle();
    expect(healthy.sink.numbers).toEqual(upTo(1, 8));
    expect(hub.size).toBe(1);
    const resumed = listen(hub, [], error.extensions.after as string);
    await resumed.sink.has(3);
    expect(resumed.sink.numbers).toEqual([6, 7, 8]);
  });

  it("is told where to go on even when it took nothing at all", async () => {
    const log = createScriptedLog();
    log.append(opens(2));
    const hub = await start(log);
    const { sink } = listen(hub, OPENS);
    sink.bound = 0;
    log.append([{ type: "click" }]);
    await idle();
    log.append(opens(2));
    const error = await sink.ended.promise;
    expect(error.extensions.after).toBe(log.entries[2]!.cursor);
  });

  it("waits for a log that is down at start, and loses nothing afterwards", async () => {
    const log = createScriptedLog();
    log.down = true;
    const hub = await start(log);
    const { sink } = listen(hub);
    expect(hub.head).toBeNull();
    log.down = false;
    await hub.begun();
    log.append(opens(2));
    await sink.has(2);
    expect(sink.numbers).toEqual([1, 2]);
  });
});

describe("a subscriber with `after`", () => {
  it("gets everything later, then live, without a seam, from the log and from memory", async () => {
    const log = createScriptedLog();
    log.append(opens(2_000));
    const hub = await start(log, 100);
    log.append(opens(150));
    const { sink } = listen(hub, OPENS, log.entries[9]!.cursor);
    log.append(opens(5));
    await sink.has(2_145);
    log.append(opens(3));
    await sink.has(2_148);
    expect(sink.numbers).toEqual(upTo(11, 2_158));
  });

  it("joins without a seam while events come at any moment of its replay", async () => {
    const log = createScriptedLog();
    log.append(opens(600));
    const hub = await start(log, 50);
    const start0 = log.entries[0]!.cursor;
    const subscribers = Array.from({ length: 20 }, () => listen(hub, [], start0));
    for (let count = 0; count < 200; count += 1) {
      log.append(opens(7), (["run", "number", "lost"] as const)[count % 3]!);
      await Promise.resolve();
    }
    log.append(opens(1));
    await Promise.all(subscribers.map(({ sink }) => sink.has(2_000)));
    for (const { sink } of subscribers) expect(sink.numbers).toEqual(upTo(2, 2_001));
  });

  it("waits in line where as many read the log as may at once", async () => {
    const log = createScriptedLog();
    log.append(opens(20));
    const hub = await start(log, 1, 2);
    const held = Promise.withResolvers<void>();
    log.hold = held.promise;
    const before = log.reads;
    const listening = Array.from({ length: 5 }, () => listen(hub, [], log.entries[0]!.cursor));
    await idle();
    await idle();
    expect(log.reads - before).toBe(2);
    held.resolve();
    await Promise.all(listening.map(({ sink }) => sink.has(19)));
  });

  it("gets nothing that was erased while it waited for its reader, though it was at hand before", async () => {
    const log = createScriptedLog();
    const hub = await start(log);
    const live = listen(hub);
    log.append(opens(400));
    await live.sink.has(400);
    const sink = new KeepingSink();
    sink.bound = 1;
    hub.subscribe({ group: GROUP, filter: [], after: log.entries[0]!.cursor, sink });
    await sink.has(1);
    // Taken from memory in the same step as the first, and not offered together with it.
    log.erase(200);
    sink.widen(1_000);
    await sink.has(398);
    expect(sink.numbers).toEqual(upTo(2, 400).filter((number) => number !== 200));
  });

  it("begins at the origin of an empty log", async () => {
    const log = createScriptedLog();
    const hub = await start(log);
    const { sink } = listen(hub, [], hub.head);
    log.append(opens(2));
    await sink.has(2);
    expect(sink.numbers).toEqual([1, 2]);
  });

  it("may be ahead of the feed: it gets only what is later", async () => {
    const log = createScriptedLog();
    const hub = await start(log);
    log.append(opens(4), "lost");
    const { sink } = listen(hub, [], log.entries[2]!.cursor);
    log.append(opens(1), "number");
    await sink.has(2);
    expect(sink.numbers).toEqual([4, 5]);
  });

  it("gets what was acknowledged before it came and has yet to be read", async () => {
    const log = createScriptedLog();
    log.append(opens(3));
    const hub = await start(log);
    log.append(opens(5), "lost");
    hub.acknowledged(8);
    const { sink } = listen(hub, [], log.entries[2]?.cursor);
    log.append(opens(1), "number");
    await sink.has(6);
    expect(sink.numbers).toEqual(upTo(4, 9));
  });

  it("goes at its reader's pace, without being ended, and misses nothing", async () => {
    const log = createScriptedLog();
    log.append(opens(1_000));
    const hub = await start(log, 10);
    const { sink, subscriber } = listen(hub, [], log.entries[0]!.cursor);
    sink.bound = 10;
    await sink.has(10);
    log.append(opens(100));
    for (let bound = 110; bound <= 1_110; bound += 100) {
      sink.widen(bound);
      await sink.has(Math.min(bound, 1_099));
    }
    expect(sink.numbers).toEqual(upTo(2, 1_100));
    expect(subscriber.ended).toBe(false);
  });

  it("is told CURSOR_EXPIRED when its place has been trimmed", async () => {
    const log = createScriptedLog();
    log.append(opens(10));
    const after = log.entries[2]!.cursor;
    log.trimTo(6);
    const hub = await start(log);
    const { sink } = listen(hub, [], after);
    const error = await sink.ended.promise;
    expect(error.code).toBe("CURSOR_EXPIRED");
    expect(error.extensions).toEqual({ oldest: log.entries[0]!.cursor, head: log.entries[4]!.cursor });
    expect(hub.size).toBe(0);
  });

  it("is told CURSOR_EXPIRED when a trim overtakes its replay, and got no later entry", async () => {
    const log = createScriptedLog();
    log.append(opens(2_000));
    const hub = await start(log, 10);
    const { sink } = listen(hub, [], log.entries[0]!.cursor);
    sink.bound = 100;
    await sink.has(100);
    log.trimTo(1_900);
    sink.widen(Number.POSITIVE_INFINITY);
    expect((await sink.ended.promise).code).toBe("CURSOR_EXPIRED");
    expect(sink.numbers).toEqual(upTo(2, 251));
  });

  it.each(["", "nonsense", "AAAAAAAAAAAAAAAAAAAAAA"])("is told CURSOR_UNKNOWN of %j", async (after) => {
    const log = createScriptedLog();
    log.append(opens(1));
    const hub = await start(log);
    const { sink } = listen(hub, [], after);
    const error = await sink.ended.promise;
    expect(error.code).toBe("CURSOR_UNKNOWN");
    expect(error.extensions.head).toBe(log.entries[0]!.cursor);
  });
});

describe("a log that is not the one it was", () => {
  it("emptied: every subscriber is told, and the next ones are served", async () => {
    const log = createScriptedLog();
    log.append(opens(5));
    const hub = await start(log);
    const live = listen(hub);
    const replaying = listen(hub, [], log.entries[1]!.cursor);
    replaying.sink.bound = 2;
    await replaying.sink.has(2);
    log.flush();
    log.append(opens(1));
    expect((await live.sink.ended.promise).code).toBe("CURSOR_UNKNOWN");
    replaying.sink.widen(Number.POSITIVE_INFINITY);
    expect((await replaying.sink.ended.promise).code).toBe("CURSOR_UNKNOWN");
    const next = listen(hub, [], hub.head);
    log.append(opens(2));
    await next.sink.has(2);
    expect(next.sink.numbers).toEqual([2, 3]);
  });

  it("its tail lost and since overtaken: told, although every number is there", async () => {
    const log = createScriptedLog();
    log.append(opens(10));
    const hub = await start(log);
    const { sink } = listen(hub);
    const lost = log.entries[9]!.cursor;
    log.loseTail(3);
    log.append(opens(20), "lost");
    const error = await sink.ended.promise;
    expect(error.code).toBe("CURSOR_UNKNOWN");
    expect(error.extensions.head).toBe(hub.head);
    expect(sink.numbers).toEqual([]);
    expect((await listen(hub, [], lost).sink.ended.promise).code).toBe("CURSOR_UNKNOWN");
    const resumed = listen(hub, [], error.extensions.head as string);
    log.append(opens(1));
    await resumed.sink.has(1);
    expect(resumed.sink.numbers).toEqual([28]);
  });

  it("trimmed past the feed itself: told CURSOR_EXPIRED", async () => {
    const log = createScriptedLog();
    log.append(opens(10));
    const hub = await start(log);
    const { sink } = listen(hub);
    log.append(opens(10), "lost");
    log.trimTo(15);
    expect((await sink.ended.promise).code).toBe("CURSOR_EXPIRED");
  });

  it("down for a while: subscribers stay, and get everything afterwards", async () => {
    const log = createScriptedLog();
    const hub = await start(log);
    const { sink, subscriber } = listen(hub);
    log.down = true;
    log.append(opens(3), "number");
    await idle();
    log.down = false;
    log.append(opens(2), "number");
    await sink.has(5);
    expect(sink.numbers).toEqual(upTo(1, 5));
    expect(subscriber.ended).toBe(false);
  });
});

describe("the place up to which a subscriber has been served", () => {
  it("moves with the log, matching events or not", async () => {
    const log = createScriptedLog();
    const hub = await start(log);
    const { subscriber } = listen(hub, OPENS);
    log.append([{ type: "click" }, { type: "send" }]);
    await idle();
    expect(hub.servedTo(subscriber)).toBe(log.entries[1]!.cursor);
  });

  it("is its own while it catches up", async () => {
    const log = createScriptedLog();
    log.append(opens(10));
    const hub = await start(log, 1);
    const { sink, subscriber } = listen(hub, [], log.entries[0]!.cursor);
    sink.bound = 4;
    await sink.has(4);
    expect(hub.servedTo(subscriber)).toBe(log.entries[4]!.cursor);
  });
});

it("counts subscribers, and forgets who leaves in any state", async () => {
  const log = createScriptedLog();
  log.append(opens(10));
  const hub = await start(log);
  let ended = 0;
  const sink = new KeepingSink();
  const live = hub.subscribe({ group: GROUP, filter: [], after: null, sink, onEnd: () => (ended += 1) });
  const replaying = hub.subscribe({
    group: GROUP,
    filter: [],
    after: log.entries[0]!.cursor,
    sink,
    onEnd: () => (ended += 1),
  });
  expect(hub.size).toBe(2);
  live.close();
  replaying.close();
  live.close();
  expect([hub.size, ended]).toEqual([0, 2]);
});
