import type { ChainableCommander } from "ioredis";
import type { RedisClient } from "./connection.ts";

/** Commands sent at once: other clients of Redis are to have their turn in between. */
const MOST_COMMANDS = 1_000;

/** Asks one command about each of `items`; answers in their order. Rejects with the first error there is. */
export async function inPipeline<Item>(
  client: RedisClient,
  items: readonly Item[],
  ask: (pipeline: ChainableCommander, item: Item) => unknown,
): Promise<unknown[]> {
  const replies: unknown[] = [];
  for (let from = 0; from < items.length; from += MOST_COMMANDS) {
    const pipeline = client.pipeline();
    for (const item of items.slice(from, from + MOST_COMMANDS)) ask(pipeline, item);
    replies.push(...resultsOf(await pipeline.exec()));
  }
  return replies;
}

/** What a pipeline has replied; throws the first error there is. */
export function resultsOf(replies: readonly [error: Error | null, result: unknown][] | null): unknown[] {
  if (replies === null) throw new Error("the pipeline was discarded");
  return replies.map(([error, result]) => {
    if (error !== null) throw error;
    return result;
  });
}
