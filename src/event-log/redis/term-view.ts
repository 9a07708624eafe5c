import { logUnavailable } from "../../error.ts";
import type { RedisClient } from "./connection.ts";
import type { RedisKeys } from "./keys.ts";
import { type LogState, type LogStates, STATE_FIELDS } from "./log-state.ts";
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
export interface IndexView extends TailView {
  /** The log's state then: every entry up to its head is indexed. */
  readonly state: LogState;
  /** First numbers of the blocks, ascending: each reaches up to the next, and the last up to the tail. */
  readonly blocks: readonly number[];
}

export interface IndexViews {
  /** The index, not older than the call; null where there is no log. */
  open(client: RedisClient): Promise<IndexView | null>;
  /** The same, where it has entry `number` of this epoch. Rejects with LOG_UNAVAILABLE where it has not. */
  upTo(client: RedisClient, number: number, epoch: string): Promise<IndexView>;
}

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
export function createIndexViews(keys: RedisKeys, states: LogStates): IndexViews {
  let known: KnownTail | null = null;
  let running: Promise<IndexView | null> | null = null;
  let waiting: Promise<IndexView | null> | null = null;

  async function look(client: RedisClient): Promise<IndexView | null> {
    // An empty tail looks like any other.
    if (known === null || known.read.end === "") return reload(client);
    const { end } = known.read;
    const from = known.read.view().tailBytes - end.length;
    // The state first: all that it tells of is in the tail by then.
    const pipeline = client.pipeline().hmget(keys.meta, ...STATE_FIELDS);
    const replies = resultsOf(await pipeline.getrangeBuffer(keys.tail, from, -1).exec());
    const state = states.parse(replies[0] as (string | null)[]);
    const bytes = replies[1] as Buffer;
    const goesOn =
      known.epoch === state?.epoch &&
      known.erasures === state.erasures &&
      bytes.toString("latin1", 0, end.length) === end;
    if (!goesOn) return reload(client);
    known.read.add(bytes.subarray(end.length));
    return { state, blocks: known.blocks, ...known.read.view() };
  }

  async function reload(client: RedisClient): Promise<IndexView | null> {
    // The blocks last: what has left the tail meanwhile is in them.
    const pipeline = client
      .pipeline()
      .hmget(keys.meta, ...STATE_FIELDS)
      .getrangeBuffer(keys.tail, 0, -1);
    const replies = resultsOf(await pipeline.zrange(keys.blocks, 0, -1).exec());
    const state = states.parse(replies[0] as (string | null)[]);
    if (state === null) return null;
    const { epoch, erasures } = state;
    known = { read: new ReadTail(), blocks: (replies[2] as string[]).map(Number), epoch, erasures };
    known.read.add(replies[1] as Buffer);
    return { state, blocks: known.blocks, ...known.read.view() };
  }

  function open(client: RedisClient): Promise<IndexView | null> {
    if (waiting !== null) return waiting;
    const begin = (): Promise<IndexView | null> => {
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
  }

  return {
    open,
    async upTo(client, number, epoch) {
      const view = await open(client);
      if (view?.state.epoch === epoch && view.state.number >= number) return view;
      throw logUnavailable("The log in Redis is another by now.");
    },
  };
}
