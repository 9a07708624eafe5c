import type { RedisClient } from "./connection.ts";
import type { EventIndex } from "./indexed-log.ts";
import { FORMER_LAYOUT, isOtherLayout } from "./log-state.ts";
import type { Reading } from "./reading.ts";
import { createSetIndex } from "./set-form.ts";
import { createTermIndex, type TermIndexOptions } from "./term-form.ts";

/** The index of the log, in whichever form it is. */
export interface Indexes {
  /** That of the layout which the log was last seen to have. */
  current(): EventIndex;
  /** Does `work` with the log's index; once more, where the log has got the other layout. */
  run<T>(client: RedisClient, work: (index: EventIndex) => Promise<T>): Promise<T>;
}

export function createIndexes({ reading, ...options }: TermIndexOptions & { readonly reading: Reading }): Indexes {
  const { keys, states } = options;
  const terms = createTermIndex(options);
  const sets = createSetIndex(keys, states);
  const current = () => (states.known?.layout === FORMER_LAYOUT ? sets : terms);
  return {
    current,
    async run(client, work) {
      try {
        return await work(current());
      } catch (error) {
        if (!isOtherLayout(error)) throw error;
        // Whoever looks learns the layout, or that it is one that we do not know.
        await reading.look(client);
        return work(current());
      }
    },
  };
}
