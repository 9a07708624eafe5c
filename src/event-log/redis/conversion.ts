import { randomUUID } from "node:crypto";
import { logUnavailable } from "../../error.ts";
import type { StoredForm } from "../../event/stored-event.ts";
import { BLOCK_SIZE } from "../places.ts";
import { type EntryRow, rowOf } from "./entry-rows.ts";
import type { RedisKeys } from "./keys.ts";
import type { Link } from "./link.ts";
import { FORMER_LAYOUT, refuseOtherLayout } from "./log-state.ts";
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
/** Rows of the former index read at once, and sets of it removed at once. */
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
 * Gives a log of the layout before the layout of this version. It is used meanwhile as before: its entries are indexed
 * once more beside the index that it has, and when that has all of them the log gets the layout in one act. Then the
 * former index is removed. Whatever of it was cut off is done by another call.
 *
 * Resolves to the number of entries; null where the log has the layout already, or there is none. Rejects with
 * LOG_UNAVAILABLE where another call has begun since, or the log is of another version's layout.
 */
export async function convertLog(options: ConversionOptions): Promise<number | null> {
  const { link, keys } = options;
  const layout = await link.run((client) => client.hget(keys.meta, "layout"));
  if (layout !== null) refuseOtherLayout(layout);
  const converted = layout === FORMER_LAYOUT ? await convert(options) : null;
  await removeFormerIndex(link, keys);
  return converted;
}

async function convert(options: ConversionOptions): Promise<number> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const converted = await attemptOnce(options);
    if (converted !== null) return converted;
  }
  throw logUnavailable("Others erase events meanwhile: convert again when that is over.");
}

/** Null where something that was indexed is no longer in the log, and was not trimmed: it was erased. */
async function attemptOnce(options: ConversionOptions): Promise<number | null> {
  const { link, keys } = options;
  const step = await begin(link, keys);
  const [epoch, total] = await link.run(async (client) => {
    const pipeline = client.pipeline().hget(keys.meta, "epoch").xlen(keys.entries);
    return resultsOf(await pipeline.exec()) as [string, number];
  });
  const indexing = createIndexing(options, total);
  const { numbers } = indexing;

  for (let block = await indexing.block(); block !== null; block = await indexing.block()) {
    await step("block", [keys.block(block.first)], block.first, ...block.fields);
  }
  for (let trimmed = 0; ; ) {
    const lines = await indexing.lines();
    if (lines !== "") await step("tail", [], lines);
    const newest = numbers.at(-1) ?? 0;
    const held = numbers.length - trimmed;
    const found = await step("end", [], epoch, numbers[trimmed] ?? 0, newest, held);
    if (found === 1) return held;
    const [epochNow, first, last, count] = found as string[];
    while (trimmed < numbers.length && (numbers[trimmed] as number) < Number(first)) trimmed += 1;
    const isErased = Number(last) <= newest && Number(count) !== numbers.length - trimmed;
    if (isErased || epochNow !== epoch) return null;
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
      const first = (await read(next(), undefined, 1))[0]?.number;
      // Where there is one behind the block, nothing is added to it any more.
      if (first === undefined || (await read(first + BLOCK_SIZE, undefined, 1)).length === 0) return null;
      const indexed = new IndexedEntries();
      for (let text = await lines(first + BLOCK_SIZE - 1); text !== ""; text = await lines(first + BLOCK_SIZE - 1)) {
        indexed.addLines(Buffer.from(text));
      }
      const entries = indexed.view();
      return { first, fields: encodeBlock(entries, 0, entries.length) };
    },
  };
}

type Step = (what: string, keys: readonly string[], ...values: readonly ScriptValue[]) => Promise<unknown>;

/** Resolves to what does the further steps. */
async function begin(link: Link, keys: RedisKeys): Promise<Step> {
  const name = randomUUID();
  const step: Step = async (what, more, ...values) => {
    const touched = [keys.meta, keys.entries, keys.tail, keys.blocks, ...more];
    const done = await link.run((client) => SCRIPTS.convert.run(client, touched, [name, what, ...values]));
    if (done === null) throw logUnavailable("Another has begun to convert the log, or has done so.");
    return done;
  };
  const left = await link.run((client) => client.zrange(keys.blocks, 0, -1));
  const blocks = left.map((first) => keys.block(Number(first)));
  await step("begin", blocks);
  return step;
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

/** The sets are found by the rows of the terms, which go as the sets have gone. */
async function removeFormerIndex(link: Link, keys: RedisKeys): Promise<void> {
  for (;;) {
    const rows = await link.run((client) => client.lrange(keys.terms, 0, NOTES - 1));
    if (rows.length === 0) return;
    const sets = [...new Set(rows.flatMap((row) => noteOf(row).keys))];
    for (let from = 0; from < sets.length; from += SETS) {
      await link.run((client) => client.unlink(...sets.slice(from, from + SETS)));
    }
    await link.run((client) => client.ltrim(keys.terms, rows.length, -1));
  }
}
