import { randomUUID } from "node:crypto";
import { logUnavailable, ServiceError } from "../../error.ts";
import type { StoredForm } from "../../event/stored-event.ts";
import { BLOCK_SIZE } from "../places.ts";
import { type EntryRow, rowOf } from "./entry-rows.ts";
import type { RedisKeys } from "./keys.ts";
import type { Link } from "./link.ts";
import { FORMER_LAYOUT, LAYOUT, refuseOtherLayout } from "./log-state.ts";
import { resultsOf } from "./pipeline.ts";
import { SCRIPTS, type ScriptValue } from "./script.ts";
import { noteOf } from "./set-keys.ts";
import { createTermsOf } from "./term.ts";
import { encodeBlock } from "./term-block.ts";
import { IndexedEntries } from "./term-tail.ts";

/** Entries read at once: at first, and at the most. Bytes of stored events that they are to be, about. */
const FIRST_ROWS = 8;
const MOST_ROWS = 500;
const ROWS_BYTES = 4 * 1024 * 1024;
/** Rows of the former index read at once, and sets of it removed at once, about: for these appends wait. */
const NOTES = 100;
const SETS = 5_000;
/** How often a conversion is begun anew because somebody erases meanwhile. */
const MAX_ATTEMPTS = 10;

export interface ConversionOptions {
  readonly link: Link;
  readonly keys: RedisKeys;
  readonly form: StoredForm;
  /** Is told how many entries, of how many, are indexed. */
  readonly onProgress: (indexed: number, entries: number) => void;
}

/**
 * Gives a log of the former layout the layout of this version. It is used meanwhile as before: its entries are indexed
 * once more beside the index that it has, and when that has all of them the log gets the layout in one act. Then the
 * former index is removed. Whatever of it was cut off is done by another call.
 *
 * Resolves to the number of entries; null where the log has the layout already, or there is none. Rejects with
 * LOG_UNAVAILABLE where another call has begun since, Redis has no memory for it, or the log is of another version's
 * layout; nothing is left of what was made then, unless Redis cannot be reached.
 */
export async function convertLog(options: ConversionOptions): Promise<number | null> {
  const { link, keys } = options;
  const layoutNow = () => link.run((client) => client.hget(keys.meta, "layout"));
  const layout = await layoutNow();
  if (layout === null) return null;
  refuseOtherLayout(layout);
  const converted = layout === FORMER_LAYOUT ? await convert(options) : null;
  await removeFormerIndex(link, keys);
  // A replica may have taken over that had not heard of the change.
  if ((await layoutNow()) !== LAYOUT) throw formerAgain();
  return converted;
}

/**
 * Sees to it that nothing of what was erased stands in what a conversion has left, or makes: removes the former index of
 * a log that was converted, and of one that was not what there is of the other. One under way begins anew.
 */
export async function eraseFromConversion(link: Link, keys: RedisKeys): Promise<void> {
  const [layout, formerIndex] = await link.run(async (client) => {
    const pipeline = client.pipeline().hget(keys.meta, "layout").exists(keys.formerTerms);
    return resultsOf(await pipeline.exec()) as [string | null, number];
  });
  if (layout === LAYOUT && formerIndex === 1) await removeFormerIndex(link, keys);
  if (layout === FORMER_LAYOUT) await createSteps(link, keys).cancel();
}

async function convert(options: ConversionOptions): Promise<number> {
  const steps = createSteps(options.link, options.keys);
  try {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const converted = await attemptOnce(options, steps);
      if (converted !== null) return converted;
    }
    throw logUnavailable(
      `It was begun ${MAX_ATTEMPTS} times, since events were erased meanwhile: convert again when that is over.`,
    );
  } catch (error) {
    if (!(error instanceof Overtaken)) await steps.cancel().catch(() => {});
    throw error;
  }
}

/** Null where it is to be begun anew: something was erased that was indexed, or Redis has lost a step. */
async function attemptOnce(options: ConversionOptions, steps: Steps): Promise<number | null> {
  const { link, keys } = options;
  await steps.claim();
  const [epoch, erasures, oldestNow, total] = await link.run(async (client) => {
    const pipeline = client.pipeline().hmget(keys.meta, "epoch", "erasures", "oldest").xlen(keys.entries);
    const [meta, length] = resultsOf(await pipeline.exec()) as [[string, string | null, string], number];
    return [meta[0], meta[1] ?? "0", meta[2], length] as const;
  });
  const indexing = createIndexing(options, total);
  const { numbers } = indexing;

  for (let block = await indexing.block(); block !== null; block = await indexing.block()) {
    const { first, fields } = block;
    if ((await steps.next("block", [keys.block(first)], first, ...fields)) === 0) return null;
  }
  let oldest = oldestNow;
  /** How many of the entries that are indexed are trimmed by now. */
  let trimmed = 0;
  for (;;) {
    const lines = await indexing.lines();
    if (lines !== "" && (await steps.next("tail", [], lines)) === 0) return null;
    while (trimmed < numbers.length && (numbers[trimmed] as number) < Number(oldest)) trimmed += 1;
    const newest = numbers.at(-1) ?? 0;
    const held = numbers.length - trimmed;
    const found = await steps.next("end", [], epoch, erasures, oldest, newest, held);
    if (found === 1) return held;
    if (found === 0) return null;
    const [epochNow, erasuresNow, oldestThen, last, count] = found as string[];
    const isOfSamePlace = oldestThen === oldest && Number(last) <= newest;
    // All that is there was indexed: what is not there, and not trimmed, was erased. The version before counts no erasures.
    const isErased = erasuresNow !== erasures || (isOfSamePlace && Number(count) !== held);
    if (epochNow !== epoch || isErased) return null;
    oldest = oldestThen as string;
  }
}

interface Indexing {
  /** Of all entries that are indexed, ascending. */
  readonly numbers: readonly number[];
  /** The next block; null where the entries that are left do not reach beyond it. */
  block(): Promise<{ readonly first: number; readonly fields: readonly (string | Uint8Array)[] } | null>;
  /** The lines of the next entries, as append.lua adds such to the tail; empty where there are none. */
  lines(): Promise<string>;
}

/** Indexes the entries from the oldest on. */
function createIndexing({ link, keys, form, onProgress }: ConversionOptions, total: number): Indexing {
  const read = createRowReader(link, keys);
  const termsOf = createTermsOf();
  const numbers: number[] = [];
  const next = () => (numbers.at(-1) ?? 0) + 1;

  async function lines(last?: number): Promise<string> {
    const rows = await read(next(), last);
    for (const { number } of rows) numbers.push(number);
    onProgress(numbers.length, Math.max(total, numbers.length));
    const each = rows.map(({ number, tag, stored }) => {
      const terms = termsOf(form.decode(stored as string));
      return `${terms}\n#${number} ${tag}\n`;
    });
    return each.join("");
  }

  return {
    numbers,
    lines: () => lines(),
    async block() {
      for (;;) {
        const from = (await read(next(), undefined, 1))[0]?.number;
        // Where there is one behind the block, nothing is added to it any more.
        if (from === undefined || (await read(from + BLOCK_SIZE, undefined, 1)).length === 0) return null;
        const indexed = new IndexedEntries();
        for (let text = await lines(from + BLOCK_SIZE - 1); text !== ""; text = await lines(from + BLOCK_SIZE - 1)) {
          indexed.addLines(Buffer.from(text));
        }
        const entries = indexed.view();
        // By now the first of them may have gone, or all.
        const first = entries.numbers[0];
        if (entries.length > 0) return { first: first as number, fields: encodeBlock(entries, 0, entries.length) };
      }
    },
  };
}

const formerAgain = () => logUnavailable("The log in Redis has its former layout again: convert it once more.");

/** Another has begun to convert the log, or has done so. */
class Overtaken extends ServiceError {
  constructor() {
    super("LOG_UNAVAILABLE", "Another has begun to convert the log, or has done so.");
  }
}

interface Steps {
  /** Takes the log over from whoever converted it, and removes what that has made. */
  claim(): Promise<void>;
  /** Resolves to what convert.lua replies. Rejects with {@link Overtaken} where that is nil. */
  next(what: string, keys: readonly string[], ...values: readonly ScriptValue[]): Promise<unknown>;
  /** Ends whichever conversion is under way, and removes what it has made. */
  cancel(): Promise<void>;
}

function createSteps(link: Link, keys: RedisKeys): Steps {
  let name = "";
  let done = 0;

  const run = (
    step: string,
    {
      by,
      more = [],
      values = [],
    }: { by: readonly string[]; more?: readonly string[]; values?: readonly ScriptValue[] },
  ): Promise<unknown> => {
    const touched = [keys.meta, keys.entries, keys.tail, keys.blocks, keys.terms, keys.formerTerms, ...more];
    return link.run((client) => SCRIPTS.convert.run(client, touched, [...by, step, ...values]));
  };
  /** Whoever comes meanwhile has claimed the log, so that no block is added to the list. */
  const clear = async (by: readonly string[]): Promise<unknown> => {
    const listed = await link.run((client) => client.zrange(keys.blocks, 0, -1));
    return run("clear", { by, more: listed.map((first) => keys.block(Number(first))) });
  };
  const counted = (reply: unknown): unknown => {
    if (reply === null) throw new Overtaken();
    if (reply === 1) done += 1;
    return reply;
  };

  return {
    async claim() {
      name = randomUUID();
      done = -1;
      counted(await run("claim", { by: [name, ""] }));
      counted(await clear([name, String(done)]));
    },
    next: async (what, more, ...values) => counted(await run(what, { by: [name, String(done)], more, values })),
    async cancel() {
      await run("cancel", { by: ["", ""] });
      await clear(["", ""]);
    },
  };
}

type ReadRows = (from: number, to?: number, most?: number) => Promise<readonly EntryRow[]>;

/** Reads entries from number `from` on, as many as are about {@link ROWS_BYTES} if they are like those before. */
function createRowReader(link: Link, keys: RedisKeys): ReadRows {
  let count = FIRST_ROWS;
  return async (from, to, most = MOST_ROWS) => {
    const end = to === undefined ? "+" : `${to}-0`;
    const replies = await link.run((client) =>
      client.xrange(keys.entries, `${from}-0`, end, "COUNT", Math.min(count, most)),
    );
    const rows = replies.map(rowOf);
    const bytes = rows.reduce((sum, { stored }) => sum + (stored?.length ?? 0), 0);
    if (bytes > 0) count = Math.max(1, Math.min(MOST_ROWS, Math.floor((ROWS_BYTES * rows.length) / bytes)));
    return rows;
  };
}

/** The sets are found by the rows of the terms, which go together with them. */
async function removeFormerIndex(link: Link, keys: RedisKeys): Promise<void> {
  for (;;) {
    const rows = await link.run((client) => client.lrange(keys.formerTerms, 0, NOTES - 1));
    if (rows.length === 0) return;
    const sets = new Set<string>();
    let count = 0;
    for (; count < rows.length && sets.size < SETS; count++) {
      for (const key of noteOf(rows[count] as string).keys) sets.add(key);
    }
    const args = [count, rows[0] as string, rows[count - 1] as string];
    const removed = await link.run((client) =>
      SCRIPTS.removeSets.run(client, [keys.meta, keys.formerTerms, ...sets], args),
    );
    if (removed === null) throw formerAgain();
  }
}
