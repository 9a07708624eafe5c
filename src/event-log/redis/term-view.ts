import type { RedisClient } from "./connection.ts";
import type { RedisKeys } from "./keys.ts";
import { LAYOUT, type LogState, type LogStates, requireLayout, STATE_FIELDS } from "./log-state.ts";
import { resultsOf } from "./pipeline.ts";
import { type EntryTerms, IndexedEntries } from "./term-tail.ts";

/** The index of the newest entries, which are in no block yet. */
export interface TailView {
  readonly tail: EntryTerms;
  /** The tail as Redis has it. Bytes. */
  readonly tailBytes: number;
  /** What the tail ends with: nothing that was added to another ends like this. */
  readonly tailEnd: string;
}

/** The index as it was at one moment. */
export interface TermView extends TailView {
  /** The log's state then: every entry up to its head is indexed. */
  readonly state: LogState;
  /** First numbers of the blocks, ascending: each reaches up to the next, and the last up to the tail. */
  readonly blocks: readonly number[];
}

/** The index, not older than the call; null where there is no log. */
export type OpenTermView = (client: RedisClient) => Promise<TermView | null>;

/**
 * Bytes that are read once more of a tail that is known: they end with the tag of its last entry, by which a tail that
 * another has taken the place of is told apart.
 */
const CHECKED_BYTES = 40;

/** What was read of the tail, and is added to. */
class ReadTail {
  readonly #entries = new IndexedEntries();
  #bytes = 0;
  /** What was read last. */
  end = "";

  add(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#entries.addLines(bytes);
    this.#bytes += bytes.length;
    this.end = bytes.toString("latin1", Math.max(0, bytes.length - CHECKED_BYTES));
  }

  view(): TailView {
    return { tail: this.#entries.view(), tailBytes: this.#bytes, tailEnd: this.end };
  }
}

/** A tail that was read as a whole. */
export function tailOf(bytes: Buffer): TailView {
  const read = new ReadTail();
  read.add(bytes);
  return read.view();
}

interface KnownTail {
  readonly read: ReadTail;
  readonly blocks: readonly number[];
  readonly epoch: string;
  readonly erasures: number;
}

/** Keeps the tail, so that only what was added to it since is read. */
export function createTermViews(keys: RedisKeys, states: LogStates): OpenTermView {
  let known: KnownTail | null = null;
  let running: Promise<TermView | null> | null = null;
  let waiting: Promise<TermView | null> | null = null;

  function stateOf(meta: unknown): LogState | null {
    const state = states.parse(meta as (string | null)[]);
    if (state !== null) requireLayout(state, LAYOUT);
    return state;
  }

  async function look(client: RedisClient): Promise<TermView | null> {
    // An empty tail looks like any other.
    if (known === null || known.read.end === "") return reload(client);
    const { end } = known.read;
    const from = known.read.view().tailBytes - end.length;
    // The state first: all that it tells of is in the tail by then.
    const pipeline = client.pipeline().hmget(keys.meta, ...STATE_FIELDS);
    const replies = resultsOf(await pipeline.getrangeBuffer(keys.tail, from, -1).exec());
    const state = stateOf(replies[0]);
    const bytes = replies[1] as Buffer;
    const goesOn =
      known.epoch === state?.epoch &&
      known.erasures === state.erasures &&
      bytes.toString("latin1", 0, end.length) === end;
    if (!goesOn) return reload(client);
    known.read.add(bytes.subarray(end.length));
    return { state, blocks: known.blocks, ...known.read.view() };
  }

  async function reload(client: RedisClient): Promise<TermView | null> {
    // The blocks last: what has left the tail meanwhile is in them.
    const pipeline = client
      .pipeline()
      .hmget(keys.meta, ...STATE_FIELDS)
      .getrangeBuffer(keys.tail, 0, -1);
    const replies = resultsOf(await pipeline.zrange(keys.blocks, 0, -1).exec());
    const state = stateOf(replies[0]);
    if (state === null) return null;
    const { epoch, erasures } = state;
    known = { read: new ReadTail(), blocks: (replies[2] as string[]).map(Number), epoch, erasures };
    known.read.add(replies[1] as Buffer);
    return { state, blocks: known.blocks, ...known.read.view() };
  }

  return (client) => {
    if (waiting !== null) return waiting;
    const begin = (): Promise<TermView | null> => {
      waiting = null;
      running = look(client).finally(() => {
        running = null;
      });
      return running;
    };
    // One that is under way may have read already: it is waited for, and all who come meanwhile share the next.
    if (running === null) return begin();
    waiting = running.then(begin, begin);
    return waiting;
  };
}
