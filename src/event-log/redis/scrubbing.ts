import { randomUUID } from "node:crypto";
import { logUnavailable } from "../../error.ts";
import type { RedisClient } from "./connection.ts";
import type { RedisKeys } from "./keys.ts";
import type { Link } from "./link.ts";
import { type LogStates, STATE_FIELDS } from "./log-state.ts";
import { SCRIPTS } from "./script.ts";

/** Bytes of stored events that one step copies, about: some milliseconds, for which appends wait. */
const STEP_BYTES = 1024 * 1024;
/** Milliseconds after which a copy is gone whose process has ended. */
const COPY_EXPIRY = 60_000;
/** How often a copy is begun anew because somebody else erases meanwhile. */
const MAX_ATTEMPTS = 10;

export interface ScrubbingOptions {
  readonly keys: RedisKeys;
  readonly states: LogStates;
}

/**
 * Removes the bytes of what was erased from the stream, by writing that anew. Appends, readers and trims go on
 * meanwhile. Rejects where Redis has no memory for a second stream: they stay until the stream's nodes go.
 */
export type Scrub = (link: Link) => Promise<void>;

export function createScrub({ keys, states }: ScrubbingOptions): Scrub {
  /** Whether the entries were replaced by a copy of them. */
  async function rewrite(link: Link, copy: string): Promise<boolean> {
    const state = await link.run(async (client) => states.parse(await client.hmget(keys.meta, ...STATE_FIELDS)));
    if (state === null) return true;
    const names = [keys.meta, keys.entries, copy, keys.replaced];
    for (let last = "0"; ; ) {
      const args = [state.epoch, state.erasures, last, STEP_BYTES, COPY_EXPIRY];
      const copied = await link.run((client) => SCRIPTS.scrub.run(client, names, args));
      if (copied === null) return false;
      const [number, isReplaced] = copied as [string, number];
      if (isReplaced === 1) return true;
      last = number;
    }
  }

  const drop = (link: Link, copy: string): Promise<unknown> => link.run((client: RedisClient) => client.unlink(copy));

  return async (link) => {
    if ((await link.run((client) => client.hlen(keys.erased))) === 0) return;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      // Of a name of its own: another process may be at the same.
      const copy = keys.copy(randomUUID());
      try {
        if (await rewrite(link, copy)) return;
        await drop(link, copy);
      } catch (error) {
        await drop(link, copy).catch(() => {});
        if (!isOutOfMemory(error)) throw error;
        throw logUnavailable(
          "They are erased for everybody, but Redis has no memory to write its events anew, so the bytes of the erased " +
            "ones stay in it: erase again when it has, or wait until they are trimmed.",
        );
      }
    }
    throw logUnavailable("Others erase as well: erase again when that is over.");
  };
}

function isOutOfMemory(error: unknown): boolean {
  const { cause } = error as Error;
  return cause instanceof Error && /\bOOM\b/.test(cause.message);
}
