import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import type { Logger } from "pino";
import type { Event } from "../../event/event.ts";
import { FILTER_FIELDS, valuesOf } from "../../event/event-filter.ts";
import type { StoredForm } from "../../event/stored-event.ts";
import { BLOCK_SIZE } from "../places.ts";
import { type EntryRow, rowOf } from "./entry-rows.ts";
import type { RedisKeys } from "./keys.ts";
import type { Link } from "./link.ts";
import { SCRIPTS, type ScriptValue } from "./script.ts";
import { createTermsOf } from "./term.ts";
import { encodeBlock } from "./term-block.ts";
import { type EntryTerms, IndexedEntries } from "./term-tail.ts";

/** The layout whose index was a sorted set a value. */
export const FORMER_LAYOUT = "1";
/** The layout of a log that is being converted: no version knows it, so every instance stops at it. */
export const CONVERTING = "converting";

/** Entries read at once, and keys of the former index removed at once. */
const ROWS = 100;
const KEYS = 5_000;

/** Milliseconds without progress after which whoever was converting is taken for dead. */
const TAKE_OVER = 10_000;

export interface ConversionOptions {
  readonly link: Link;
  readonly keys: RedisKeys;
  readonly form: StoredForm;
  readonly logger?: Pick<Logger, "warn" | "info"> | undefined;
  /** @default TAKE_OVER */
  readonly takeOverMs?: number | undefined;
}

/**
 * Gives a log of the layout before this one the index of this one, as soon as Redis can be reached. Until that is done
 * no instance can use the log; where one has died over it, another begins anew.
 */
export function convertWhenReady(options: ConversionOptions): void {
  let converting = false;
  options.link.onReady(() => {
    if (converting) return;
    converting = true;
    convertInTurn(options)
      .catch((error: unknown) => options.logger?.warn({ err: error }, "the log in Redis could not be converted"))
      .finally(() => {
        converting = false;
      });
  });
}

/** Another instance converts the log, or has done so. */
class TakenOver extends Error {}

async function convertInTurn(options: ConversionOptions): Promise<void> {
  const { link, keys, takeOverMs = TAKE_OVER } = options;
  for (let seen: string | null = null; ; ) {
    const [layout, ...progress] = await link.run((client) =>
      client.hmget(keys.meta, "layout", "converter", "converted"),
    );
    if (layout !== FORMER_LAYOUT && layout !== CONVERTING) return;
    if (layout === FORMER_LAYOUT || seen === progress.join(" ")) {
      try {
        return await convert(options);
      } catch (error) {
        if (!(error instanceof TakenOver)) throw error;
      }
    }
    seen = progress.join(" ");
    await setTimeout(takeOverMs, undefined, { ref: false });
  }
}

async function convert({ link, keys, form, logger }: ConversionOptions): Promise<void> {
  logger?.info("converting the log in Redis to the index of this version");
  const name = randomUUID();
  /** @throws TakenOver */
  const step = async (values: readonly ScriptValue[], block: string, unused: readonly string[] = []): Promise<void> => {
    const touched = [keys.meta, keys.tail, keys.blocks, block, ...unused];
    const taken = await link.run((client) => SCRIPTS.convert.run(client, touched, [CONVERTING, name, ...values]));
    if (taken !== 1) throw new TakenOver();
  };
  await step(["begin"], keys.blocks);
  for (let from = 0; ; ) {
    const former = await readBlock(link, keys, form, from);
    if (former === null) break;
    const { first, entries, unused } = former;
    await step(["block", first, ...encodeBlock(entries, 0, entries.length)], keys.block(first));
    for (let k = 0; k < unused.length; k += KEYS) await step(["remove"], keys.blocks, unused.slice(k, k + KEYS));
    from = first + BLOCK_SIZE;
  }
  await step(["end"], keys.blocks, [keys.terms]);
  logger?.info("the log in Redis has been converted");
}

/** The entries of the first block from number `from` on, and the keys that they were found by; null where there are none. */
async function readBlock(
  link: Link,
  keys: RedisKeys,
  form: StoredForm,
  from: number,
): Promise<{ readonly first: number; readonly entries: EntryTerms; readonly unused: readonly string[] } | null> {
  const read = async (begin: number, end: string, count: number): Promise<EntryRow[]> =>
    (await link.run((client) => client.xrange(keys.entries, `${begin}-0`, end, "COUNT", count))).map(rowOf);
  const first = (await read(from, "+", 1))[0]?.number;
  if (first === undefined) return null;
  const termsOf = createTermsOf();
  const indexed = new IndexedEntries();
  const unused = new Set<string>();
  for (let next = first; ; ) {
    const rows = await read(next, `${first + BLOCK_SIZE - 1}-0`, ROWS);
    for (const { number, tag, stored } of rows) {
      const event = form.decode(stored as string);
      indexed.addLines(Buffer.from(`${termsOf(event)}\n#${number} ${tag}\n`));
      for (const key of formerIndexKeys(keys, event)) unused.add(key);
    }
    if (rows.length < ROWS) return { first, entries: indexed.view(), unused: [...unused] };
    next = (rows.at(-1) as EntryRow).number + 1;
  }
}

function formerIndexKeys(keys: RedisKeys, event: Event): string[] {
  const values = FILTER_FIELDS.flatMap((field) =>
    valuesOf(event, field).map((value) => keys.formerIndex(field, value)),
  );
  const ofBoth = valuesOf(event, "subaccount").map((value) => keys.formerIndex(`${event.type}+subaccount`, value));
  return [...values, ...ofBoth];
}
