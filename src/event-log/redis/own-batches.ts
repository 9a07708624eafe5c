import { randomUUID } from "node:crypto";

/** Batches that may wait for their message, and characters of one: what is larger is read from the log. */
const MOST_BATCHES = 64;
const MOST_LENGTH = 256 * 1024;

/** What an append has sent of its entries, in their order. */
export interface OwnBatch {
  readonly tags: readonly string[];
  readonly stored: readonly string[];
}

/**
 * The batches that this process has under way. Where nobody else listens, an append publishes a batch's name in the
 * place of its entries, which would be sent back to where they came from.
 */
export interface OwnBatches {
  /**
   * Remembers a batch under the name that is returned, for as long as its message is worth waiting for; empty where it
   * is too large.
   */
  keep(batch: OwnBatch): string;
  /** The batch of this name, once; null where it is another process's, or was dropped. */
  take(name: string): OwnBatch | null;
}

export function createOwnBatches(): OwnBatches {
  const process = randomUUID();
  const batches = new Map<string, OwnBatch>();
  let named = 0;
  return {
    keep(batch) {
      if (batch.stored.reduce((sum, text) => sum + text.length, 0) > MOST_LENGTH) return "";
      named += 1;
      const name = `${process}/${named}`;
      batches.set(name, batch);
      // Of an append that was refused, or whose message was lost.
      if (batches.size > MOST_BATCHES) batches.delete(batches.keys().next().value as string);
      return name;
    },
    take(name) {
      const batch = batches.get(name) ?? null;
      batches.delete(name);
      return batch;
    },
  };
}
