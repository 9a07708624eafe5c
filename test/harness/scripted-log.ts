import { randomBytes } from "node:crypto";
import { cursorExpired, cursorUnknown, logUnavailable } from "../../src/error.ts";
import { ORIGIN_TAG, type Position } from "../../src/event/cursor.ts";
import { createEntryCodec, Entry } from "../../src/event/entry.ts";
import type { Chunk, Head, WakeUp } from "../../src/event-log/event-log.ts";
import type { ReadableLog } from "../../src/hub/feed.ts";
import { type SampleFields, sampleEvent } from "./event-samples.ts";

/** A log in memory whose faults the test decides. It keeps the part of the contract that the hub reads by. */
export interface ScriptedLog extends ReadableLog {
  /** Appends one event a field set and wakes listeners up, by `wake`. @default a run */
  append(events: readonly SampleFields[], wake?: "run" | "number" | "lost"): readonly Entry[];
  /** Trims everything below this number. */
  trimTo(oldest: number): void;
  /** Drops the newest entries, as a replica does that is promoted without them. */
  loseTail(count: number): void;
  /** Erases the events of these numbers and tells of it. */
  erase(...numbers: number[]): void;
  /** Calls the listeners. */
  wake(wakeUp: WakeUp): void;
  /** Empties the log; its next life has another epoch and key. */
  flush(): void;
  /** Every call rejects while it is down. */
  down: boolean;
  /** Reads wait while it is set. */
  hold: Promise<void> | null;
  /** What reads have found is kept back while it is set. */
  answerLater: Promise<void> | null;
  reads: number;
  readonly entries: readonly Entry[];
}

export function createScriptedLog(): ScriptedLog {
  let epoch = "00000001";
  let codec = createEntryCodec(randomBytes(16));
  let entries: Entry[] = [];
  let trimmed = 0;
  let appended = 0;
  const listeners = new Set<(wakeUp: WakeUp) => void>();

  const placeOfHead = (): Position => entries.at(-1) ?? { epoch, number: 0, tag: ORIGIN_TAG };
  const headNow = (): Head => {
    const { number, tag } = placeOfHead();
    const oldest = entries[0]?.number ?? number + 1;
    return { epoch, number, tag, oldest, cursor: codec.encode({ epoch, number, tag }) };
  };
  const cursorOf = (position: Position | undefined): string | null =>
    position === undefined ? null : codec.encode({ ...position, epoch });

  const log: ScriptedLog = {
    down: false,
    hold: null,
    answerLater: null,
    reads: 0,
    get entries() {
      return entries;
    },
    append(events, wake = "run") {
      const follows = { ...placeOfHead(), epoch };
      const added = events.map((fields, index) => {
        appended += 1;
        const position = { epoch, number: follows.number + index + 1, tag: randomBytes(6).toString("base64url") };
        const event = sampleEvent({ id: `event-${appended}`, ...fields });
        return new Entry(position, 1_700_000_000_000 + appended, event, 500, codec);
      });
      entries.push(...added);
      const number = headNow().number;
      if (wake !== "lost") log.wake(wake === "run" ? { number, run: { follows, entries: added } } : { number });
      return added;
    },
    wake(wakeUp) {
      for (const listener of listeners) listener(wakeUp);
    },
    erase(...numbers) {
      const erased = entries.filter(({ number }) => numbers.includes(number));
      entries = entries.map((entry) => (erased.includes(entry) ? entry.withoutEvent() : entry));
      log.wake({ erased: erased.map(({ number, tag }) => ({ number, tag })) });
    },
    trimTo(oldest) {
      entries = entries.filter((entry) => entry.number >= oldest);
      trimmed = oldest - 1;
    },
    loseTail(count) {
      entries = entries.slice(0, -count);
    },
    flush() {
      entries = [];
      trimmed = 0;
      epoch = randomBytes(4).toString("hex");
      codec = createEntryCodec(randomBytes(16));
    },
    async head() {
      if (log.down) throw logUnavailable("down");
      return headNow();
    },
    async read(position, limit): Promise<Chunk> {
      log.reads += 1;
      await log.hold;
      if (log.down) throw logUnavailable("down");
      const told = [cursorOf(entries[0]), headNow().cursor] as const;
      if (position.epoch !== epoch || position.number > placeOfHead().number) throw cursorUnknown(...told);
      if (position.number < trimmed || (position.number > 0 && position.number <= trimmed))
        throw cursorExpired(...told);
      const at = entries.find(({ number }) => number === position.number);
      if ((at?.tag ?? ORIGIN_TAG) !== position.tag) throw cursorUnknown(...told);
      const from = position.number - trimmed;
      const chunk = { entries: entries.slice(from, from + limit.entries), head: headNow() };
      await log.answerLater;
      return chunk;
    },
    positionOf: async (cursor) => codec.decode(cursor),
    onWakeUp(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async renewEpoch(known) {
      if (epoch === known) {
        epoch = randomBytes(4).toString("hex");
        entries = entries.map(
          (entry) =>
            new Entry(
              { ...entry, epoch, number: entry.number, tag: entry.tag },
              entry.receivedAt,
              entry.event,
              entry.bytes,
              codec,
            ),
        );
      }
      return epoch;
    },
  };
  return log;
}
