import { setTimeout as pause } from "node:timers/promises";
import type { Environment } from "../../src/config.ts";
import type { Position } from "../../src/event/cursor.ts";
import { AUDIENCES, idsForEveryone } from "./audience.ts";
import { EDGE_FAULTS } from "./edge-faults.ts";
import { filterComplaints } from "./filters.ts";
import { Follower, type RawObservation } from "./follower.ts";
import type { Ground } from "./ground.ts";
import { GROUNDS, type GroundName, groundOf } from "./grounds.ts";
import type { History } from "./history.ts";
import { inject } from "./injection.ts";
import { startInstance } from "./instance.ts";
import { type Listener, startListener, startResumingListener } from "./listener.ts";
import { type Mandrill, startMandrill } from "./mandrill.ts";
import { type Findings, judge, type Observation, type Testimony } from "./oracle.ts";
import { createRandom, type Random } from "./random.ts";
import { PREFIX } from "./redis-recorder.ts";
import { TRANSPORTS } from "./transport.ts";

/** Webhooks that post at the same time. */
const WEBHOOKS = 2;
/** Listeners of each kind. */
const BY_TRANSPORT = 1;
const RESUMING = 3;
const HOPPING = 2;

/** Milliseconds. */
const PROGRESS_INTERVAL = 500;
/** When the faults are over, this long may pass until everyone has everything. Milliseconds. */
const SETTLE_TIMEOUT = 45_000;
/** Between two last batches: who has just been told of a gap may have begun behind the one before. Milliseconds. */
const LAST_BATCH_INTERVAL = 2_000;

export interface RunOptions {
  readonly seed: number;
  /** Milliseconds for which faults are injected. */
  readonly duration: number;
  /** What the log lies on. @default drawn from the seed */
  readonly ground?: GroundName | undefined;
  /** Processes that serve at a time, where the ground can have so many. */
  readonly instances: number;
  /** Only these faults, by their names. @default all */
  readonly only?: readonly string[] | undefined;
  /** Breaks the run off: it rejects when everything has ended. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

export interface Progress {
  readonly faults: number;
  readonly acknowledged: number;
  readonly delivered: number;
}

/** What happened in one run. */
export interface RunReport {
  readonly seed: number;
  readonly ground: GroundName;
  /** How often each fault was injected. */
  readonly faults: ReadonlyMap<string, number>;
  /** What every instance was set to. */
  readonly settings: Environment;
  readonly acknowledged: number;
  readonly delivered: number;
  readonly told: number;
  readonly lags: number;
  /** Milliseconds from the last fault until everyone had everything. */
  readonly settling: number;
  readonly droppedWakeUps: number;
  readonly answers: ReadonlyMap<string, number>;
  readonly findings: Findings;
  /** What else went wrong: an instance that ended, an answer that is none, a listener that never settled. */
  readonly complaints: readonly string[];
  /** What the instances have printed. */
  readonly printed: string;
}

export function isGood({ findings, complaints }: RunReport): boolean {
  return complaints.length === 0 && Object.values(findings).every((sentences) => sentences.length === 0);
}

/** Starts it all, lets the seed's faults befall it under load, and judges what everyone has seen. */
export async function runChaos(options: RunOptions): Promise<RunReport> {
  const { seed, duration, instances: wanted, only, signal, onProgress } = options;
  await using stack = new AsyncDisposableStack();
  const random = createRandom(seed);
  const name = options.ground ?? groundOf(seed, only);
  const ground: Ground = GROUNDS[name];
  const settings = settingsOf(random.fork(), ground);
  const store = await ground.open();
  stack.defer(() => store.stop());
  const { history } = store;
  const era = (): number => history.eras.index;

  const count = Math.min(wanted, ground.mostInstances ?? wanted);
  const instances = await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const instance = await startInstance(store.way(i), settings);
      stack.defer(() => instance.stop());
      return instance;
    }),
  );
  const urls = random.fork();
  const url = (): string => urls.oneOf(instances).url;
  const changes = new Changes();
  const listeners = startListeners({ random: random.fork(), url, era, changed: () => changes.tell() });
  for (const listener of listeners) stack.defer(() => listener.stop());
  const mandrill = startMandrill({ webhooks: WEBHOOKS, url, random: random.fork(), history });

  const faults = new Map<string, number>();
  const delivered = (): number =>
    listeners.reduce(
      (sum, { follower }) => sum + follower.observations.filter(({ kind }) => kind === "event").length,
      0,
    );
  const progress = setInterval(() => {
    const injected = [...faults.values()].reduce((sum, times) => sum + times, 0);
    onProgress?.({ faults: injected, acknowledged: mandrill.acknowledged.length, delivered: delivered() });
  }, PROGRESS_INTERVAL);
  stack.defer(() => clearInterval(progress));

  const scene = { instances, listeners, mandrill };
  const until = performance.now() + duration;
  const onFault = (fault: string): void => void faults.set(fault, (faults.get(fault) ?? 0) + 1);
  const ending = new AbortController();
  const injected = [store.faults, EDGE_FAULTS].map((kind) => {
    // Half of them a seed: what some faults hide, such as a long life of the log, others can then show.
    const isChosen = (fault: string): boolean => only?.includes(fault) ?? random.onceIn(2);
    const chosen = Object.entries(kind).filter(([fault]) => isChosen(fault));
    return inject(chosen, { until, signal: ending.signal, random: random.fork(), scene, onFault });
  });
  stack.defer(async () => {
    ending.abort();
    mandrill.giveUp();
    await Promise.allSettled(injected);
  });
  const broken = Promise.race([history.failed, ...(signal === undefined ? [] : [aborted(signal)])]);
  await Promise.race([Promise.all([...injected, pause(duration)]), broken]);

  const ended = performance.now();
  const stuck = await Promise.race([settle({ mandrill, listeners, changes }), broken]);
  const settling = performance.now() - ended;
  await Promise.all(listeners.map((listener) => listener.stop()));
  const unfound = await Promise.all(
    instances.map(({ url }) => filterComplaints(url).catch((error: Error) => [`cannot be asked: ${error.message}`])),
  );
  await Promise.all(instances.map((instance) => instance.stop()));
  await history.finish();

  const unreadable: string[] = [];
  const testimonies = listeners.map(({ follower }) => testimonyOf(follower, history, unreadable));
  const judgement = judge({
    eras: history.eras.all,
    testimonies,
    acknowledged: mandrill.acknowledged,
    retention: Number(settings.RETENTION_EVENTS),
    minReplicas: Number(settings.REDIS_MIN_REPLICAS ?? 0),
  });
  return {
    seed,
    ground: name,
    faults,
    settings,
    acknowledged: mandrill.acknowledged.length,
    delivered: judgement.delivered,
    told: judgement.told,
    lags: listeners.reduce((sum, { follower }) => sum + follower.lags, 0),
    settling,
    droppedWakeUps: instances.reduce((sum, { droppedWakeUps }) => sum + droppedWakeUps, 0),
    answers: mandrill.answers,
    findings: judgement.findings,
    complaints: [
      ...new Set(mandrill.complaints),
      ...instances.flatMap(({ complaints }) => complaints),
      ...listeners.flatMap(({ follower }) => follower.complaints),
      ...unreadable,
      ...unfound.flat(),
      ...stuck,
    ],
    printed: instances.map(({ printed }) => printed).join("\n"),
  };
}

/** Small enough that listeners are trimmed past, fall out of memory and lag. */
function settingsOf(random: Random, ground: Ground): Environment {
  return {
    REDIS_PREFIX: PREFIX,
    RETENTION_EVENTS: random.oneOf(["150", "400", "2000"]),
    RECENT_ENTRIES: random.oneOf(["1", "25", "10000"]),
    MAX_BUFFERED_BYTES: random.oneOf(["1 KiB", "8 KiB", "1 MiB"]),
    PING_SECONDS: "1",
    SHUTDOWN_SECONDS: "1",
    ...ground.settings(random),
  };
}

function startListeners(options: {
  random: Random;
  url: () => string;
  era: () => number;
  changed: () => void;
}): readonly Listener[] {
  const { random, url, era, changed } = options;
  const first = random.below(AUDIENCES.length);
  let count = 0;
  const next = (kind: string) => {
    const audience = AUDIENCES[(first + count) % AUDIENCES.length] as (typeof AUDIENCES)[number];
    count += 1;
    const follower = new Follower({ name: `${count}, ${kind}, ${audience.name}`, audience, era, changed });
    return { follower, url, random: random.fork() };
  };
  const times = <T>(length: number, make: () => T): T[] => Array.from({ length }, make);
  return [
    ...TRANSPORTS.flatMap((transport) => times(BY_TRANSPORT, () => startListener([transport], next(transport.name)))),
    ...times(HOPPING, () => startListener(TRANSPORTS, next("hopping"))),
    ...times(RESUMING, () => startResumingListener(next("resuming client"))),
  ];
}

/** Rejects when `signal` says so. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

/** Resolves after so many milliseconds, and does not keep the process. */
function patience(ms: number): Promise<void> {
  return pause(ms, undefined, { ref: false });
}

/** Lets whoever waits ask again whenever something has come. */
class Changes {
  #waiting: (() => void)[] = [];

  tell(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  /** Resolves to whether it came about in time. */
  async until(condition: () => boolean, timeout: number): Promise<boolean> {
    const end = performance.now() + timeout;
    while (!condition()) {
      const left = end - performance.now();
      if (left <= 0) return false;
      await Promise.race([new Promise<void>((resolve) => this.#waiting.push(resolve)), patience(left)]);
    }
    return true;
  }
}

interface Settling {
  readonly mandrill: Mandrill;
  readonly listeners: readonly Listener[];
  readonly changes: Changes;
}

/**
 * Ends the load, and posts until everyone has had something to the end of a batch, and then one batch more: what comes
 * twice comes before it. Returns who has not had it.
 */
async function settle({ mandrill, listeners, changes }: Settling): Promise<readonly string[]> {
  const end = performance.now() + SETTLE_TIMEOUT;
  const lacking = (ids: readonly string[]): readonly Listener[] =>
    listeners.filter(({ follower }) => follower.newest !== ids.findLast((id) => follower.audience.wants(id)));
  await Promise.race([mandrill.stop(), patience(SETTLE_TIMEOUT)]);
  let hadOne = false;
  for (let number = 1; ; number++) {
    const ids = idsForEveryone(`last${number}`);
    await Promise.race([mandrill.postUntilTaken(ids), patience(SETTLE_TIMEOUT)]);
    const left = end - performance.now();
    const wait = hadOne ? left : Math.min(left, LAST_BATCH_INTERVAL);
    const haveAll = await changes.until(() => lacking(ids).length === 0, wait);
    if (haveAll && hadOne) return [];
    hadOne ||= haveAll;
    if (performance.now() > end) return lacking(ids).map(({ follower }) => `${follower.name}: never settled`);
  }
}

/** What a follower noted, with positions for cursors. */
function testimonyOf({ name, audience, observations }: Follower, history: History, unreadable: string[]): Testimony {
  const locate = (cursor: string | null): Position | null => {
    const place = cursor === null ? null : history.eras.locate(cursor);
    if (cursor !== null && place === null) unreadable.push(`${name}: no log ever had the cursor ${cursor}`);
    return place;
  };
  const resolve = (one: RawObservation): Observation[] => {
    if (one.kind === "gap") {
      return [{ ...one, after: locate(one.after), oldest: locate(one.oldest), head: locate(one.head) }];
    }
    const place = locate(one.place);
    if (one.kind === "begun") return [{ ...one, place }];
    return place === null ? [] : [{ ...one, place }];
  };
  return { name, wants: audience.wants, observations: observations.flatMap(resolve) };
}
