import type { Position } from "../../src/event/cursor.ts";
import type { Era } from "./history.ts";

/** What a listener saw, in order. Positions are those of the cursors that it was given. */
export type Observation =
  /**
   * It asks for everything behind `place`. Not `exactly`: it asks for what comes from now on and knows only that this
   * is not before `place`; null where it does not even know that.
   */
  | { readonly kind: "begun"; readonly place: Position | null; readonly exactly: boolean }
  | { readonly kind: "event"; readonly messageId: string; readonly place: Position }
  | {
      readonly kind: "gap";
      readonly code: "CURSOR_EXPIRED" | "CURSOR_UNKNOWN";
      /** Up to where it says that it has been served; null where it knows no place. */
      readonly after: Position | null;
      readonly oldest: Position | null;
      readonly head: Position | null;
      /** The era that Redis was in when the listener heard of it. */
      readonly era: number;
    };

/** What one listener is judged by. */
export interface Testimony {
  readonly name: string;
  readonly wants: (messageId: string) => boolean;
  readonly observations: readonly Observation[];
}

/** An event that got a 200. */
export interface Acknowledgement {
  readonly messageId: string;
  /** The eras that Redis was in when it was posted, and when its 200 came. */
  readonly from: number;
  readonly to: number;
}

export interface Evidence {
  readonly eras: readonly Era[];
  readonly testimonies: readonly Testimony[];
  readonly acknowledged: readonly Acknowledgement[];
  /** RETENTION_EVENTS of every instance. */
  readonly retention: number;
  /** REDIS_MIN_REPLICAS of every instance. @default 0 */
  readonly minReplicas?: number | undefined;
}

/** What is wrong, by kind; each finding is a sentence. */
export interface Findings {
  /** Acknowledged and never in the log, or in the log, wanted, within reach and not delivered. */
  readonly lost: readonly string[];
  /** Twice in the log, or delivered twice. */
  readonly doubled: readonly string[];
  readonly misordered: readonly string[];
  /** Delivered, and not wanted or not what the log holds there. */
  readonly wrong: readonly string[];
  /** The log became another, or was trimmed, and the listener was served on as if it had not been. */
  readonly untold: readonly string[];
  /** Told without a cause, or with bounds that are not those of what is missing. */
  readonly falselyTold: readonly string[];
}

export interface Judgement {
  readonly findings: Findings;
  readonly delivered: number;
  readonly told: number;
}

type Kind = keyof Findings;
type Finding = readonly [kind: Kind, sentence: string];

export const NOTHING_FOUND: Findings = {
  lost: [],
  doubled: [],
  misordered: [],
  wrong: [],
  untold: [],
  falselyTold: [],
};

/** Between a beginning and the next gap, or the end: one unbroken stretch of one log. */
interface Stretch {
  readonly begun: Extract<Observation, { kind: "begun" }>;
  readonly events: Extract<Observation, { kind: "event" }>[];
  /** null: the listener was served until the end. */
  gap: Extract<Observation, { kind: "gap" }> | null;
}

/** Compares what every listener saw with what the log held: the exact filtered sequence, or a told gap. */
export function judge({ eras, testimonies, acknowledged, retention, minReplicas = 0 }: Evidence): Judgement {
  const found: Finding[] = [
    ...eras.flatMap(faultsOfEra),
    ...unlogged(eras, acknowledged),
    ...(minReplicas > 0 ? unreplicated(eras, acknowledged) : []),
  ];
  let delivered = 0;
  let told = 0;
  for (const { name, wants, observations } of testimonies) {
    for (const stretch of stretchesOf(observations)) {
      delivered += stretch.events.length;
      const faults = faultsOfStretch(stretch, eras, wants);
      if (stretch.gap !== null) {
        told += 1;
        faults.push(...faultsOfGap(stretch.gap, eras, retention));
      }
      found.push(...faults.map(([kind, sentence]) => [kind, `${name}: ${sentence}`] as const));
    }
  }
  const kinds = Object.keys(NOTHING_FOUND) as Kind[];
  const findings = Object.fromEntries(
    kinds.map((kind) => [kind, found.filter(([one]) => one === kind).map(([, sentence]) => sentence)]),
  ) as Record<Kind, string[]>;
  return { findings, delivered, told };
}

/** An event stands once in an era, and the log becomes another only where it has lost something. */
function faultsOfEra({ entries, epochs, origin }: Era, index: number): Finding[] {
  const seen = new Set<string>();
  const faults: Finding[] = [];
  for (const [i, { messageId }] of entries.entries()) {
    if (seen.has(messageId)) faults.push(["doubled", `era ${index} holds ${messageId} again at ${i + 1}`]);
    seen.add(messageId);
  }
  const most = origin === "new" ? 1 : 2;
  if (epochs.size > most) {
    faults.push(["falselyTold", `era ${index} has had ${epochs.size} epochs, and cause for ${most}`]);
  }
  return faults;
}

function unlogged(eras: readonly Era[], acknowledged: readonly Acknowledgement[]): Finding[] {
  const held = eras.map(({ entries }) => new Set(entries.map(({ messageId }) => messageId)));
  return acknowledged.flatMap(({ messageId, from, to }): Finding[] => {
    if (held.slice(from, to + 1).some((ids) => ids.has(messageId))) return [];
    return [["lost", `${messageId} was acknowledged between eras ${from} and ${to} and never in the log`]];
  });
}

/** What a master had that its replica lacks was not to be acknowledged. */
function unreplicated(eras: readonly Era[], acknowledged: readonly Acknowledgement[]): Finding[] {
  return eras.flatMap(({ origin, entries }, index): Finding[] => {
    if (origin !== "replica") return [];
    const before = index - 1;
    const held = new Set(entries.map(({ messageId }) => messageId));
    const missing = (eras[before] as Era).entries.filter(({ messageId }) => !held.has(messageId));
    const lost = new Set(missing.map(({ messageId }) => messageId));
    return acknowledged
      .filter(({ messageId, from, to }) => from === before && to === before && lost.has(messageId))
      .map(({ messageId }) => ["lost", `${messageId} was acknowledged in era ${before}, and its replica lacks it`]);
  });
}

function stretchesOf(observations: readonly Observation[]): readonly Stretch[] {
  const stretches: Stretch[] = [];
  for (const observation of observations) {
    if (observation.kind === "begun") {
      stretches.push({ begun: observation, events: [], gap: null });
      continue;
    }
    const stretch = stretches.at(-1);
    if (stretch === undefined || stretch.gap !== null) throw new Error(`${observation.kind} before a beginning`);
    if (observation.kind === "event") stretch.events.push(observation);
    else stretch.gap = observation;
  }
  return stretches;
}

/** A place before a loss may lie in several eras: it is judged by that which fits best. */
function faultsOfStretch(stretch: Stretch, eras: readonly Era[], wants: Testimony["wants"]): Finding[] {
  let fewest: Finding[] | null = null;
  const { place, exactly } = stretch.begun;
  for (const [index, era] of eras.entries()) {
    // Who is live from now on may begin in the next log, if that place's is lost in the meantime.
    const isReached = place === null || eras.slice(0, exactly ? 0 : index).some((earlier) => holds(earlier, place));
    if (!isReached && !holds(era, place)) continue;
    const isLast = index === eras.length - 1;
    const faults = faultsIn(era, stretch, wants, isLast);
    if (fewest === null || faults.length < fewest.length) fewest = faults;
  }
  return fewest ?? [["wrong", "began at a place that no log ever had"]];
}

function faultsIn(era: Era, { begun, events, gap }: Stretch, wants: Testimony["wants"], isLast: boolean): Finding[] {
  const walk = new Walk(era, wants, begun);
  for (const event of events) walk.take(event);
  if (gap !== null) walk.endAt(gap);
  else if (isLast) walk.skipTo(era.entries.length + 1);
  else walk.faults.push(["untold", `nothing was told after ${walk.reached} of a log that is gone`]);
  return [...walk.faults, ...walk.lost()];
}

/** Goes along an era as the listener says it was led. */
class Walk {
  readonly faults: Finding[] = [];
  reached: number;
  readonly #era: Era;
  readonly #wants: Testimony["wants"];
  readonly #seen = new Set<number>();
  /** Passed over, until it comes all the same. */
  readonly #skipped = new Map<number, string>();
  #mayBeginLater: boolean;

  constructor(era: Era, wants: Testimony["wants"], { place, exactly }: Stretch["begun"]) {
    this.#era = era;
    this.#wants = wants;
    this.#mayBeginLater = !exactly;
    this.reached = place !== null && holds(era, place) ? place.number : 0;
  }

  take({ messageId, place }: Stretch["events"][number]): void {
    const { number } = place;
    if (!holds(this.#era, place)) {
      this.#note("untold", `${messageId} is of another log, at ${number}: no gap was told after ${this.reached}`);
      return;
    }
    if (this.#era.entries[number - 1]?.messageId !== messageId) this.#note("wrong", `${messageId} is not at ${number}`);
    else if (!this.#wants(messageId)) this.#note("wrong", `${messageId} was not asked for`);
    if (this.#seen.has(number)) this.#note("doubled", `${messageId} came again, at ${number}`);
    else if (this.#skipped.delete(number)) this.#note("misordered", `${messageId} came late, at ${number}`);
    else if (number <= this.reached) this.#note("doubled", `${messageId}, at ${number}, came after ${this.reached}`);
    this.#seen.add(number);
    this.skipTo(number);
    this.#mayBeginLater = false;
    this.reached = Math.max(this.reached, number);
  }

  endAt({ code, after }: NonNullable<Stretch["gap"]>): void {
    if (after === null) return;
    const { number } = after;
    if (!holds(this.#era, after)) this.#note("untold", `${code} tells of a place in another log, at ${number}`);
    else if (number < this.reached) this.#note("falselyTold", `${code} after ${number}, served up to ${this.reached}`);
    else this.skipTo(number + 1);
  }

  /** What lies between the last place and `number` has not come. */
  skipTo(number: number): void {
    if (this.#mayBeginLater) return;
    for (let skipped = this.reached + 1; skipped < number; skipped++) {
      const { messageId } = this.#era.entries[skipped - 1] as Era["entries"][number];
      if (this.#wants(messageId)) this.#skipped.set(skipped, messageId);
    }
  }

  lost(): readonly Finding[] {
    return [...this.#skipped].map(([number, messageId]) => ["lost", `${messageId}, at ${number}, never came`]);
  }

  #note(kind: Kind, sentence: string): void {
    this.faults.push([kind, sentence]);
  }
}

function faultsOfGap(
  { code, after, oldest, head, era }: NonNullable<Stretch["gap"]>,
  eras: readonly Era[],
  retention: number,
): Finding[] {
  const bounds = `${code} after ${show(after)}, oldest ${show(oldest)}, head ${show(head)}`;
  if (after === null) return [];
  if (code === "CURSOR_EXPIRED") {
    const isRight =
      oldest !== null &&
      head !== null &&
      after.epoch === head.epoch &&
      oldest.epoch === head.epoch &&
      after.number < oldest.number &&
      oldest.number === head.number - retention + 1;
    return isRight ? [] : [["falselyTold", `${bounds}, where ${retention} are kept`]];
  }
  // Of the same epoch and log as the head, it is no unknown cursor; where there is none, as the log is empty, of the
  // epoch that this one came to have.
  const told = eras[era] as Era;
  const isHeld =
    head === null
      ? [...told.epochs].at(-1) === after.epoch && holds(told, after)
      : after.epoch === head.epoch && eras.filter((one) => holds(one, head)).every((one) => holds(one, after));
  return isHeld ? [["falselyTold", `${bounds}: the log still had it`]] : [];
}

function holds({ entries, epochs }: Era, { epoch, number, tag }: Position): boolean {
  return number === 0 ? epochs.has(epoch) : entries[number - 1]?.tag === tag;
}

function show(place: Position | null): string {
  return place === null ? "none" : `${place.epoch}/${place.number}`;
}
