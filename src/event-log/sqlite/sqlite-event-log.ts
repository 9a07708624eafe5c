import { Worker } from "node:worker_threads";
import { logUnavailable } from "../../error.ts";
import { type CursorCodec, createCursorCodec } from "../../event/cursor.ts";
import { Entry } from "../../event/entry.ts";
import type { Event } from "../../event/event.ts";
import { encodeStoredEvent } from "../../event/stored-event.ts";
import type { AppendResult, EventLog, Head, LogLimits, WakeUp } from "../event-log.ts";
import type { SqliteStoreOptions } from "./sqlite-store.ts";
import type { AppendBatch, AppendReply, StoredEntry, StoredHead } from "./store-calls.ts";
import { createStoreClient } from "./store-client.ts";
import { encodeTerms } from "./terms.ts";

export interface SqliteEventLogOptions {
  /** Path of the file; it and its folder are made where they are missing. Two more files lie beside it. */
  readonly file: string;
  readonly limits: LogLimits;
  readonly logger?: { warn(fields: object, message: string): void } | undefined;
  /** Milliseconds to wait for another process to give the file up. @default 5000 */
  readonly busyTimeoutMs?: number | undefined;
  /** Milliseconds after which a method rejects. @default 5000 */
  readonly commandTimeoutMs?: number | undefined;
}

/** Stored bytes of a batch up to which its entries come along with the wake-up: as with Redis, see design.md. */
const RUN_BYTES = 256 * 1024;

/** Opens the embedded event log; rejects with LOG_UNAVAILABLE where another process has the file, or it is none of ours. */
export async function openSqliteEventLog({
  file,
  limits,
  logger,
  busyTimeoutMs = 5_000,
  commandTimeoutMs = 5_000,
}: SqliteEventLogOptions): Promise<EventLog> {
  const workerData: SqliteStoreOptions = { file, limits, busyTimeoutMs };
  const store = createStoreClient({
    startWorker: () => new Worker(new URL("./sqlite-worker.ts", import.meta.url), { name: "event-log", workerData }),
    timeoutMs: commandTimeoutMs,
    onWorkerLost: (reason) => logger?.warn({ reason }, "the event log's thread was lost and is started again"),
  });
  let codec: CursorCodec;
  try {
    codec = createCursorCodec(await store.call("open", [], busyTimeoutMs + commandTimeoutMs));
  } catch (error) {
    await store.close();
    const reason = error instanceof Error ? error.message : String(error);
    throw logUnavailable(`${reason} The file is ${file}.`, error);
  }
  const listeners = new Set<(wakeUp: WakeUp) => void>();

  const toHead = (head: StoredHead): Head => ({ ...head, cursor: codec.encode(head) });

  function toEntry(epoch: string, { number, tag, receivedAt, stored }: StoredEntry): Entry {
    const bytes = stored === null ? 0 : Buffer.byteLength(stored);
    return new Entry({ epoch, number, tag }, receivedAt, stored, bytes, codec);
  }

  /** The entries that an append has made, without reading them back. */
  function runOf(events: readonly Event[], stored: readonly string[], reply: AppendReply): WakeUp["run"] {
    const { appended, tags, receivedAt, follows } = reply;
    const sizes = appended.map((i) => Buffer.byteLength(stored[i] as string));
    if (sizes.reduce((sum, size) => sum + size, 0) > RUN_BYTES) return undefined;
    const entries = appended.map((i, k) => {
      const position = { epoch: follows.epoch, number: follows.number + k + 1, tag: tags[k] as string };
      return new Entry(position, receivedAt, events[i] as Event, sizes[k] as number, codec);
    });
    return { follows, entries };
  }

  async function append(events: readonly Event[]): Promise<AppendResult> {
    const batch: AppendBatch = {
      ids: events.map(({ id }) => id),
      terms: events.map(encodeTerms),
      stored: events.map(encodeStoredEvent),
    };
    const reply = await store.call("append", [batch]);
    const appended = reply.appended.length;
    const number = reply.follows.number + appended;
    if (appended > 0) {
      const run = runOf(events, batch.stored, reply);
      for (const listener of listeners) listener({ number, run });
    }
    return { appended, duplicates: events.length - appended, head: number };
  }

  let closed = false;
  return {
    kind: "sqlite",
    append,
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
    async trim() {
      const trimmed = await store.call("trim", []);
      // A call for each part, so that appends come in between; a log that is closed meanwhile goes on another time.
      for (let more = true; more && !closed; ) more = await store.call("sweep", []);
      return trimmed;
    },
    check: () => store.call("check", []),
    async close() {
      closed = true;
      await store.close();
    },
  };
}
