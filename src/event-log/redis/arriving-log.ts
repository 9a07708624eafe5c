import { readFileSync } from "node:fs";
import type { RedisConnection } from "../../config.ts";
import { ServiceError } from "../../error.ts";
import type { MovingEntry, MovingRemainder, MovingState } from "../moving-log.ts";
import type { RedisClient } from "./connection.ts";
import { countName, createKeys, type RedisKeys } from "./keys.ts";
import { openLink } from "./link.ts";
import { LAYOUT } from "./log-state.ts";
import { inPipeline, resultsOf } from "./pipeline.ts";
import { revokeToken } from "./revoked-tokens.ts";
import { Script } from "./script.ts";
import { sealTail, TAIL_BYTES } from "./sealing.ts";
import { termOf } from "./term.ts";
import { tailOf } from "./term-view.ts";

/** How far a log has come. */
export interface Arrived {
  /** Up to which entry it is there, and that one's tag. */
  readonly number: number;
  readonly tag: string;
  /** Whether all of it is there, and instances may use it. */
  readonly isComplete: boolean;
}

/** A log that is being taken in from another store. No instance can use it before {@link complete}. */
export interface ArrivingLog {
  /** Begins, or says how far an earlier attempt came; null where another log is in this place. */
  begin(state: MovingState, first: number): Promise<Arrived | null>;
  /** Takes the entries that follow `before` in, all of them or none. May be repeated, as when an answer was lost. */
  take(state: MovingState, before: number, entries: readonly MovingEntry[]): Promise<void>;
  /** Adds what is not in the entries, and lets instances use the log. May be repeated. */
  complete(state: MovingState, remainder: MovingRemainder): Promise<void>;
  close(): Promise<void>;
}

/** The layout of a log that is not all there: no version knows it, so every instance stops at it. */
const MOVING = "moving";

/** Milliseconds for one part: a large one takes Redis some hundred. */
const TIMEOUT = 30_000;

const TAKE_IN = new Script(
  "take-in",
  ["./prelude.lua", "./take-in.lua"].map((file) => readFileSync(new URL(file, import.meta.url), "utf8")).join("\n"),
);

export function openArrivingLog(connection: RedisConnection, prefix: string): ArrivingLog {
  const keys = createKeys(prefix);
  const link = openLink(connection, "move", TIMEOUT);
  const touched = [keys.meta, keys.entries, keys.ids, keys.erased, keys.tail, keys.blocks];

  async function send(
    { epoch, cursorKey, oldest }: MovingState,
    before: number,
    last: Pick<MovingEntry, "number" | "tag" | "receivedAt">,
    { plan, terms, entries }: Part,
  ): Promise<readonly [layout: string, number: string, tag: string, tailBytes: number]> {
    const args = [
      MOVING,
      epoch,
      cursorKey,
      oldest,
      before,
      last.number,
      last.tag,
      last.receivedAt,
      plan,
      terms,
      ...entries,
    ];
    const reply = await link.run((client) => TAKE_IN.run(client, touched, args));
    return reply as [string, string, string, number];
  }

  async function seal(client: RedisClient, { epoch }: MovingState): Promise<void> {
    const bytes = (await client.getBuffer(keys.tail)) ?? Buffer.alloc(0);
    await sealTail(client, keys, { epoch, erasures: 0 }, tailOf(bytes));
  }

  return {
    async begin(state, first) {
      const nothing = { number: first - 1, tag: "", receivedAt: 0 };
      const [layout, number, tag] = await send(state, first - 1, nothing, partOf([]));
      return layout === "" ? null : { number: Number(number), tag, isComplete: layout !== MOVING };
    },
    async take(state, before, entries) {
      const last = entries.at(-1);
      if (last === undefined) return;
      const [layout, number, , tailBytes] = await send(state, before, last, partOf(entries));
      if (layout !== MOVING || Number(number) !== last.number) {
        throw new ServiceError("LOG_UNAVAILABLE", "Somebody else is moving a log to the same place.");
      }
      if (tailBytes >= TAIL_BYTES) await link.run((client) => seal(client, state));
    },
    async complete(state, remainder) {
      await link.run((client) => writeRemainder(client, keys, state, remainder));
      const { number, tag, receivedAt, countsFrom } = state;
      const opened = { layout: LAYOUT, number, tag, receivedAt, countsFrom };
      await link.run((client) => client.hset(keys.meta, opened));
    },
    close: () => link.close(),
  };
}

/** What take-in.lua is given of some entries. */
interface Part {
  readonly plan: string;
  /** As append.lua adds them to the index. */
  readonly terms: string;
  readonly entries: readonly (string | number)[];
}

function partOf(moved: readonly MovingEntry[]): Part {
  const ids: string[] = [];
  const erased: string[] = [];
  const entries: (string | number)[] = [];
  let terms = "";
  let first = 0;
  for (const entry of moved) {
    const { number, tag, receivedAt, id, stored } = entry;
    ids.push(String(number), id);
    if (stored === undefined) continue;
    if (stored === null) erased.push(String(number), `${tag} ${receivedAt}`);
    else entries.push(number, tag, receivedAt, stored);
    if (terms === "") first = number;
    terms += `${entry.terms.map(({ field, value }) => termOf(field, value)).join("")}\n`;
  }
  if (terms !== "") terms += `#${first} ${moved.at(-1)?.tag}\n`;
  return { plan: JSON.stringify({ ids, erased }), terms, entries };
}

async function writeRemainder(
  client: RedisClient,
  keys: RedisKeys,
  state: MovingState,
  { minutes, counts, requests, revoked }: MovingRemainder,
): Promise<void> {
  const byMinute = new Map<number, Record<string, number>>();
  for (const { minute, type, subaccount, count } of counts) {
    const counted = byMinute.get(minute) ?? {};
    counted[countName(type, subaccount)] = count;
    byMinute.set(minute, counted);
  }
  // The minute of the newest entry is still being counted, in a hash of its own.
  const running = Math.floor(state.receivedAt / 60_000);
  const runningCounts = byMinute.get(running) ?? {};
  byMinute.delete(running);
  await client.del(keys.minutes, keys.minute, keys.counts, keys.requests);
  await inPipeline(client, [...minutes], (pipeline, [minute, first]) =>
    pipeline.zadd(keys.minutes, minute, String(first)),
  );
  await inPipeline(client, [...byMinute], (pipeline, [minute, counted]) =>
    pipeline.hset(keys.counts, String(minute), JSON.stringify(counted)),
  );
  const pipeline = client.pipeline();
  if (Object.keys(runningCounts).length > 0) pipeline.hset(keys.minute, runningCounts);
  if (requests.length > 0) pipeline.rpush(keys.requests, ...requests);
  resultsOf(await pipeline.exec());
  for (const { tokenId, until } of revoked) await revokeToken(client, keys, tokenId, until);
}
