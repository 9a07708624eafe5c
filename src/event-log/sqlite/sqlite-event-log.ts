import { Worker } from "node:worker_threads";
import { logUnavailable } from "../../error.ts";
import { createEntryCodec, Entry } from "../../event/entry.ts";
import { type StoredForm, WHOLE_EVENTS } from "../../event/stored-event.ts";
import type { AppendResult, EventLog, Head, LogLimits, WakeUp } from "../event-log.ts";
import { logSecret } from "../log-secret.ts";
import type { SqliteStoreOptions } from "./sqlite-store.ts";
import type { AppendBatch, AppendReply, StoredEntry, StoredHead } from "./store-calls.ts";
import { createStoreClient } from "./store-client.ts";
import { encodeTerms } from "./terms.ts";

/** The log's file in its folder. */
export const LOG_FILE = "events.sqlite";

export interface SqliteEventLogOptions {
  /** Path of the file; it and its folder are made where they are missing. Up to four more files lie beside it. */
  readonly file: string;
  readonly limits: LogLimits;
  /** How events are kept. @default WHOLE_EVENTS */
  readonly form?: StoredForm | undefined;
  readonly logger?: { warn(fields: object, message: string): void } | undefined;
  /** Milliseconds to wait for another process to give the file up. @default 5000 */
  readonly busyTimeoutMs?: number | undefined;
  /** Milliseconds after which a method rejects. @default 5000 */
  readonly commandTimeoutMs?: number | undefined;
}

/** Stored bytes of a batch up to which its entries come along with the wake-up: as with Redis, see design.md. */
const RUN_BYTES = 256 * 1024;

/** The embedded log can also be copied while it is in use. */
export interface SqliteEventLog extends EventLog {
  /** Resolves when `file`, which must not be there before, holds the log as it is then, durably. */
  backup(file: string): Promise<void>;
}

/** Milliseconds that a backup may take: as long as it goes on, nothing waits for it. */
const BACKUP_TIMEOUT = 24 * 3_600_000;

/** Milliseconds that writing the file anew may take: appends wait for it, and Mandrill repeats what was not taken. */
const SCRUB_TIMEOUT = 3_600_000;

/** Opens the embedded event log; rejects with LOG_UNAVAILABLE where another process has the file, or it is none of ours. */
export async function openSqliteEventLog({
  file,
  limits,
  form = WHOLE_EVENTS,
  logger,
  busyTimeoutMs = 5_000,
  commandTimeoutMs = 5_000,
}: SqliteEventLogOptions): Promise<SqliteEventLog> {
  const workerData: SqliteStoreOptions = { file, limits, busyTimeoutMs };
  const store = createStoreClient({
    startWorker: () => new Worker(new URL("./sqlite-worker.ts", import.meta.url), { name: "event-log", workerData }),
    timeoutMs: commandTimeoutMs,
    onWorkerLost: (reason) => logger?.warn({ reason }, "the event log's thread was lost and is started again"),
  });
  let cursorKey: Uint8Array;
  try {
    cursorKey = await store.call("open", [], busyTimeoutMs + commandTimeoutMs);
  } catch (error) {
    await store.close();
    const reason = error instanceof Error ? error.message : String(error);
    throw logUnavailable(`${reason} The file is ${file}.`, error);
  }
  const codec = createEntryCodec(cursorKey, form);
  const listeners = new Set<(wakeUp: WakeUp) => void>();

  const toHead = (head: StoredHead): Head => ({ ...head, cursor: codec.encode(head) });

  function toEntry(epoch: string, { number, tag, receivedAt, stored }: StoredEntry): Entry {
    const bytes = stored === null ? 0 : Buffer.byteLength(stored);
    return new Entry({ epoch, number, tag }, receivedAt, stored, bytes, codec);
  }

  /** The entries that an append has made, without reading them back. */
  function runOf(stored: readonly string[], reply: AppendReply): WakeUp["run"] {
    const { appended, tags, receivedAt, follows } = reply;
    const sizes = appended.map((i) => Buffer.byteLength(stored[i] as string));
    if (sizes.reduce((sum, size) => sum + size, 0) > RUN_BYTES) return undefined;
    const entries = appended.map((i, k) => {
      const position = { epoch: follows.epoch, number: follows.number + k + 1, tag: tags[k] as string };
      return new Entry(position, receivedAt, stored[i] as string, sizes[k] as number, codec);
    });
    return { follows, entries };
  }

  async function append(batch: AppendBatch): Promise<AppendResult> {
    const reply = await store.call("append", [batch]);
    const appended = reply.appended.length;
    const number = reply.follows.number + appended;
    if (appended > 0) {
      const run = runOf(batch.stored, reply);
      for (const listener of listeners) listener({ number, run });
    }
    return { appended, duplicates: batch.ids.length - appended, head: number };
  }

  let closed = false;
  return {
    kind: "sqlite",
    // Of the parsed events nothing is kept while the store has its time.
    append: (events) =>
      append({
        ids: events.map(({ id }) => id),
        terms: events.map(encodeTerms),
        stored: events.map(form.encode),
      }),
    async read(position, limit) {
      const { entries, head } = await store.call("read", [position, limit]);
      return { entries: entries.map((entry) => toEntry(head.epoch, entry)), head: toHead(head) };
    },
    head: async () => toHead(await store.call("head", [])),
    async positionOf(cursor) {
      if (closed) throw logUnavailable("The event log is closed.");
      return codec.decode(cursor);
    },
    async find(query) {
      const { entries, hasMore, end, head } = await store.call("find", [query]);
      return {
        entries: entries.map((entry) => toEntry(head.epoch, entry)),
        hasMore,
        end: end === null ? null : codec.encode(end),
        head: toHead(head),
      };
    },
    async findById(id) {
      const found = await store.call("findById", [id]);
      return found === null ? null : toEntry(found.epoch, found);
    },
    count: (query) => store.call("count", [query]),
    recordRequests: (requests) => store.call("recordRequests", [requests]),
    requests: (limit) => store.call("requests", [limit]),
    onWakeUp(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    renewEpoch: (known) => store.call("renewEpoch", [known]),
    secret: async (purpose) => logSecret(cursorKey, purpose),
    revoke: (tokenId, until) => store.call("revoke", [tokenId, until]),
    revokedTokens: (known) => store.call("revokedTokens", [known]),
    async erase(email) {
      const { number } = await store.call("head", []);
      let count = 0;
      for (;;) {
        const erased = await store.call("erase", [email, number]);
        if (erased.length === 0) break;
        count += erased.length;
        for (const listener of listeners) listener({ erased });
      }
      // Also where nothing was found: an earlier call may have been cut off before this.
      await store.call("scrub", [], SCRUB_TIMEOUT);
      return count;
    },
    async trim() {
      const trimmed = await store.call("trim", []);
      // A call for each part, so that appends come in between; a log that is closed meanwhile goes on another time.
      for (let more = true; more && !closed; ) more = await store.call("sweep", []);
      return trimmed;
    },
    check: () => store.call("check", []),
    backup: (target) => store.call("backup", [target], BACKUP_TIMEOUT),
    async close() {
      closed = true;
      await store.close();
    },
  };
}
