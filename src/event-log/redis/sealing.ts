import { BLOCK_SIZE } from "../places.ts";
import type { RedisClient } from "./connection.ts";
import type { RedisKeys } from "./keys.ts";
import type { Link } from "./link.ts";
import type { LogState } from "./log-state.ts";
import { SCRIPTS, type ScriptValue } from "./script.ts";
import { encodeBlock } from "./term-block.ts";
import { type EntryTerms, firstFrom } from "./term-tail.ts";
import type { OpenTermView, TermView } from "./term-view.ts";

/**
 * Bytes of the index's tail from which on it is made into blocks: some 15,000 entries. A long tail takes long to be
 * looked through, and short blocks are many.
 */
export const TAIL_BYTES = 768 * 1024;

/** Making blocks of the tail of the index. */
export interface Sealing {
  /** Begins, in the background, where an append has left a tail that is long enough. */
  afterAppend(tailBytes: number): void;
}

export function createSealing(keys: RedisKeys, open: OpenTermView, link: Link, longest: number): Sealing {
  let sealing: Promise<unknown> | null = null;

  async function run(client: RedisClient): Promise<void> {
    const view = await open(client);
    // Shorter where another instance came first.
    if (view !== null && view.tailBytes >= longest) await sealTail(client, keys, view.state, view);
  }

  return {
    afterAppend(tailBytes) {
      if (tailBytes < longest || sealing !== null) return;
      // What fails now is due again with the next append.
      sealing = link
        .run(run)
        .catch(() => {})
        .finally(() => {
          sealing = null;
        });
    },
  };
}

/** Makes blocks of a tail as it was read, unless it is another by now. */
export async function sealTail(
  client: RedisClient,
  keys: RedisKeys,
  { epoch, erasures }: Pick<LogState, "epoch" | "erasures">,
  { tail, tailBytes, tailEnd }: Pick<TermView, "tail" | "tailBytes" | "tailEnd">,
): Promise<void> {
  const blocks = blocksOf(tail);
  const names = blocks.map(({ first }) => keys.block(first));
  const values = blocks.flatMap(({ first, fields }): ScriptValue[] => [first, fields.length, ...fields]);
  const args = [epoch, erasures, tailBytes, tailEnd, ...values];
  await SCRIPTS.seal.run(client, [keys.meta, keys.tail, keys.blocks, ...names], args);
}

interface Block {
  readonly first: number;
  readonly fields: readonly (string | Uint8Array)[];
}

/** The blocks of a tail, none of which spans more numbers than a place can tell. */
function blocksOf(tail: EntryTerms): readonly Block[] {
  const blocks: Block[] = [];
  for (let from = 0; from < tail.length; ) {
    const first = tail.numbers[from] as number;
    const to = firstFrom(tail, first + BLOCK_SIZE);
    blocks.push({ first, fields: encodeBlock(tail, from, to) });
    from = to;
  }
  return blocks;
}
