import type { RedisClient } from "./connection.ts";
import type { RedisKeys } from "./keys.ts";
import { type LogState, type LogStates, STATE_FIELDS } from "./log-state.ts";
import { resultsOf } from "./pipeline.ts";

/** One entry as Redis keeps it. */
export interface EntryRow {
  readonly number: number;
  readonly tag: string;
  readonly receivedAt: number;
  /** The stored event; null where it was erased. */
  readonly stored: string | null;
}

/** An entry as XRANGE replies it, with its fields in the order in which they were added. */
export type StreamReply = readonly [id: string, fields: readonly string[]];

export function rowOf([id, fields]: StreamReply): EntryRow {
  const [, tag, , receivedAt, , stored] = fields as [string, string, string, string, string, string];
  // An id is `<number>-0`.
  return { number: Number(id.slice(0, -2)), tag, receivedAt: Number(receivedAt), stored };
}

/**
 * The log's state, and the first `count` entries from number `from` on that the stream has. The entries are of one
 * moment, that of the state or later. They are asked for by themselves, for through Lua each would cost Redis four
 * times as much, and while its memory is full Redis takes no MULTI.
 */
export async function readRows(
  client: RedisClient,
  keys: RedisKeys,
  states: LogStates,
  from: number,
  count: number,
): Promise<{ readonly state: LogState | null; readonly rows: readonly EntryRow[] }> {
  const pipeline = client
    .pipeline()
    .hmget(keys.meta, ...STATE_FIELDS)
    .xrange(keys.entries, `${from}-0`, "+", "COUNT", count);
  const [meta, replies] = resultsOf(await pipeline.exec()) as [(string | null)[], StreamReply[]];
  return { state: states.parse(meta), rows: replies.map(rowOf) };
}

/** The erased entries among `numbers`. */
export async function readErased(
  client: RedisClient,
  keys: RedisKeys,
  numbers: readonly number[],
): Promise<readonly EntryRow[]> {
  if (numbers.length === 0) return [];
  const erased = await client.hmget(keys.erased, ...numbers.map(String));
  return erased.flatMap((text, i): EntryRow[] => {
    if (text === null) return [];
    const [tag, receivedAt] = text.split(" ") as [string, string];
    return [{ number: numbers[i] as number, tag, receivedAt: Number(receivedAt), stored: null }];
  });
}
