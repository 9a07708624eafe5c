import { cursorExpired, cursorUnknown, logUnavailable, type ServiceError } from "../../error.ts";
import { ORIGIN_TAG, type Position } from "../../event/cursor.ts";
import type { Entry } from "../../event/entry.ts";
import type { Chunk, LogLimits, ReadLimit } from "../event-log.ts";
import { newLog } from "./candidate.ts";
import type { RedisClient } from "./connection.ts";
import { readErased, readRows, rowOf, type StreamReply } from "./entry-rows.ts";
import type { RedisKeys } from "./keys.ts";
import { entryOf, headOf, type LogState, type LogStates, STATE_FIELDS } from "./log-state.ts";
import { inPipeline } from "./pipeline.ts";
import { SCRIPTS } from "./script.ts";

/**
 * Entries asked for at once: what they weigh is known only when they are here, and a run of inbound events with
 * attachments may come at any place. It also gives the event loop its turn.
 */
const LARGEST_STEP = 128;
/** Bytes that an entry is taken for before any was read. */
const FIRST_WEIGHT = 4_096;

/** The state and the tags of entries in it; null for a number that the log does not have. */
export interface Look {
  readonly state: LogState;
  readonly tags: readonly (string | null)[];
}

export interface Fetched {
  readonly entries: readonly Entry[];
  /** How many of the numbers asked for were not looked at any more. */
  readonly left: number;
}

/** Reading entries by number, and judging whether a position is one of this log's. */
export interface Reading {
  /** Makes the log where there is none. */
  look(client: RedisClient, ...entries: (number | "oldest")[]): Promise<Look>;
  read(client: RedisClient, position: Position, limit: ReadLimit): Promise<Chunk>;
  /** Entries by number, in the order given, up to about `bytes`; those that are gone or erased are left out. */
  fetch(client: RedisClient, state: LogState, numbers: readonly number[], bytes: number): Promise<Fetched>;
  /**
   * The error for a position that the log was not seen to go on from. It names where the log reaches from and to; or
   * it is LOG_UNAVAILABLE, where the log does go on from there.
   */
  gap(client: RedisClient, position: Position): Promise<ServiceError>;
}

export type Verdict = "held" | "expired" | "foreign";

/** Whether what follows `position` is all held by the log; `tag` is that of the entry there. */
export function judge(state: LogState, position: Position, tag: string | null): Verdict {
  const { epoch, number } = position;
  if (epoch !== state.epoch || number > state.number) return "foreign";
  // Number 0 is the place before the first entry: it is held as long as that entry is.
  if (number === 0 ? state.oldest > 1 : number < state.oldest) return "expired";
  return (number === 0 ? ORIGIN_TAG : tag) === position.tag ? "held" : "foreign";
}

export function createReading(keys: RedisKeys, states: LogStates, limits: LogLimits): Reading {
  const touched = [keys.meta, keys.entries, keys.erased, keys.terms];
  /** What an entry weighed in the last step. */
  let weight = FIRST_WEIGHT;

  const stepFor = (bytes: number, entries: number) =>
    Math.max(1, Math.min(Math.floor(bytes / weight), entries, LARGEST_STEP));

  function weigh(entries: readonly Entry[]): number {
    const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
    if (entries.length > 0) weight = Math.max(1, bytes / entries.length);
    return bytes;
  }

  async function look(client: RedisClient, ...entries: (number | "oldest")[]): Promise<Look> {
    const args = [...newLog(), limits.retentionEvents, ...entries];
    const reply = (await SCRIPTS.look.run(client, touched, args)) as (string | null)[];
    return { state: states.parse(reply) as LogState, tags: reply.slice(STATE_FIELDS.length) };
  }

  async function gap(client: RedisClient, position: Position): Promise<ServiceError> {
    const { state, tags } = await look(client, "oldest", position.number, position.number + 1);
    const oldest = tags[0] == null ? null : state.codec.encode({ ...state, number: state.oldest, tag: tags[0] });
    const head = state.number === 0 ? null : headOf(state).cursor;
    const verdict = judge(state, position, tags[1] ?? null);
    // Seen in one act the log goes on from there: while a cluster moved its keys, one was looked for where it was not.
    const goesOn = verdict === "held" && (position.number === state.number || tags[2] != null);
    if (goesOn) return logUnavailable("Redis is moving the log.");
    return verdict === "expired" ? cursorExpired(oldest, head) : cursorUnknown(oldest, head);
  }

  /**
   * At most `count` entries behind `position`, without a hole, and a state that reaches at least as far; null where
   * the log does not go on from there.
   */
  async function step(
    client: RedisClient,
    position: Position,
    count: number,
  ): Promise<{ readonly state: LogState; readonly entries: readonly Entry[] } | null> {
    const { state, rows } = await readRows(client, keys, states, position.number, count + 1);
    if (state === null) return null;
    const length = Math.max(0, Math.min(count, state.number - position.number));
    const found = new Map(rows.map((row) => [row.number, row]));
    const numbers = Array.from({ length: length + 1 }, (_, i) => position.number + i);
    const missing = numbers.filter((number) => number > 0 && !found.has(number));
    for (const row of await readErased(client, keys, missing)) found.set(row.number, row);
    const tag = position.number === state.number ? state.tag : (found.get(position.number)?.tag ?? null);
    if (judge(state, position, tag) !== "held") return null;
    const entries: Entry[] = [];
    for (const number of numbers.slice(1)) {
      const row = found.get(number);
      // Lost by Redis: who skipped it would have a gap.
      if (row === undefined) break;
      entries.push(entryOf({ epoch: state.epoch, number, tag: row.tag }, row.receivedAt, row.stored, state.codec));
    }
    return length > 0 && entries.length === 0 ? null : { state, entries };
  }

  /** The state where the log ends at `position`. So an idle look does not fetch the newest entry each time. */
  async function stateAtHead(client: RedisClient, position: Position): Promise<LogState | null> {
    if (states.known?.number !== position.number) return null;
    const state = states.parse(await client.hmget(keys.meta, ...STATE_FIELDS));
    return state?.number === position.number && judge(state, position, state.tag) === "held" ? state : null;
  }

  return {
    look,
    gap,
    async read(client, position, limit) {
      const idle = await stateAtHead(client, position);
      if (idle !== null) return { entries: [], head: headOf(idle) };
      const entries: Entry[] = [];
      let state: LogState | null = null;
      let bytes = 0;
      for (let place = position; ; place = entries.at(-1) ?? place) {
        const next = await step(client, place, stepFor(limit.bytes - bytes, limit.entries - entries.length));
        if (next === null) break;
        state = next.state;
        const before = entries.length;
        for (const entry of next.entries) {
          if (entries.length > 0 && bytes + entry.bytes > limit.bytes) break;
          entries.push(entry);
          bytes += entry.bytes;
        }
        weigh(next.entries);
        const isCut = entries.length - before < next.entries.length;
        if (isCut || entries.length >= limit.entries || (entries.at(-1) ?? place).number >= state.number) break;
      }
      if (state === null) throw await gap(client, position);
      return { entries, head: headOf(state) };
    },
    async fetch(client, state, numbers, bytes) {
      const entries: Entry[] = [];
      let looked = 0;
      let weighed = 0;
      while (looked < numbers.length && (weighed < bytes || entries.length === 0)) {
        const asked = numbers.slice(looked, looked + stepFor(bytes - weighed, LARGEST_STEP));
        const replies = await inPipeline(client, asked, (pipeline, number) =>
          pipeline.xrange(keys.entries, `${number}-0`, `${number}-0`),
        );
        const fetched = (replies as StreamReply[][]).flat().map((reply) => {
          const { number, tag, receivedAt, stored } = rowOf(reply);
          return entryOf({ epoch: state.epoch, number, tag }, receivedAt, stored, state.codec);
        });
        entries.push(...fetched);
        weighed += weigh(fetched);
        looked += asked.length;
      }
      return { entries, left: numbers.length - looked };
    },
  };
}
