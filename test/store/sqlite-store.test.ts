import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Position } from "../../src/event/cursor.ts";
import { WHOLE_EVENTS } from "../../src/event/stored-event.ts";
import type { LogLimits } from "../../src/event-log/event-log.ts";
import { type LogFile, openLogFile } from "../../src/event-log/sqlite/log-file.ts";
import { createSqliteStore, openSqliteStore, type SqliteStore } from "../../src/event-log/sqlite/sqlite-store.ts";
import type { AppendBatch, StoreCalls, StoredPage } from "../../src/event-log/sqlite/store-calls.ts";
import { type CallMessage, type ReplyMessage, serveStore } from "../../src/event-log/sqlite/store-server.ts";
import { encodeTerms } from "../../src/event-log/sqlite/terms.ts";
import { type SampleFields, sampleEvents } from "../harness/event-samples.ts";
import { limitFiles } from "../harness/file-limit.ts";
import { WIDE_LIMITS } from "../harness/wide-limits.ts";

let folder: string;
let file: LogFile;
let transactions: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mandrill-live-store-"));
  transactions = 0;
  const opened = openLogFile(join(folder, "events.db"), 0);
  const transaction: LogFile["transaction"] = (work) => {
    transactions += 1;
    return opened.transaction(work);
  };
  file = { ...opened, transaction };
});

afterEach(async () => {
  file.close();
  await rm(folder, { recursive: true, force: true });
});

function batchOf(count: number, prefix: string, fieldsOf?: (i: number) => SampleFields): AppendBatch {
  const events = sampleEvents(count, prefix, fieldsOf);
  return { ids: events.map(({ id }) => id), terms: events.map(encodeTerms), stored: events.map(WHOLE_EVENTS.encode) };
}

/** Serves calls as the worker does: all that are given at once have waited together. */
function serveAll(limits: LogLimits = WIDE_LIMITS) {
  return serveStoreOf(() => createSqliteStore(file, limits));
}

function serveStoreOf(openStore: () => SqliteStore) {
  let replies: ReplyMessage[] = [];
  const serve = serveStore(openStore, (reply) => replies.push(reply));
  return (...calls: readonly (readonly [keyof StoreCalls, ...unknown[]])[]): ReplyMessage[] => {
    replies = [];
    serve(calls.map(([method, ...args], id): CallMessage => ({ id, method, args })));
    return replies;
  };
}

const rows = (table: string) => file.database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n;

describe("a SQLite store", () => {
  it("takes appends that wait together in one transaction, each with its own result", () => {
    const serve = serveAll();
    serve(["head"]);
    transactions = 0;
    const replies = serve(
      ["append", batchOf(2, "a")],
      ["head"],
      ["append", batchOf(3, "a")],
      ["append", batchOf(1, "b")],
    );
    expect(transactions).toBe(1);
    expect(replies).toMatchObject([
      { id: 0, result: { appended: [0, 1], follows: { number: 0 } } },
      { id: 2, result: { appended: [2], follows: { number: 2 } } },
      { id: 3, result: { appended: [0], follows: { number: 3 } } },
      { id: 1, result: { number: 4 } },
    ]);
  });

  it("refuses one batch that cannot be stored, and takes those that waited with it", () => {
    const serve = serveAll();
    const [good, other] = [batchOf(2, "good"), batchOf(2, "other")];
    const poisoned = { ...batchOf(2, "poisoned"), terms: ["[]", "no JSON"] };
    const replies = serve(
      ["append", good],
      ["append", poisoned],
      ["append", other],
      ["append", batchOf(2, "poisoned")],
    );
    expect(replies).toMatchObject([
      { id: 0, result: { appended: [0, 1] } },
      { id: 1, error: { code: "LOG_UNAVAILABLE" } },
      { id: 2, result: { appended: [0, 1], follows: { number: 2 } } },
      { id: 3, result: { appended: [0, 1], follows: { number: 4 } } },
    ]);
    expect([rows("entries"), rows("events")]).toEqual([6, 6]);
  });

  it("refuses appends while the disk is full, reads on, and takes them when there is space again", () => {
    const serve = serveAll();
    serve(["append", batchOf(100, "before")]);
    const pages = Number(file.database.prepare("PRAGMA page_count").get()?.page_count);
    file.database.exec(`PRAGMA max_page_count = ${pages + 2}`);
    const large = batchOf(100, "large", () => ({ bytes: 5_000 }));
    expect(serve(["append", large])).toMatchObject([
      { error: { code: "LOG_UNAVAILABLE", message: expect.stringContaining("the disk is full") } },
    ]);
    expect(serve(["head"], ["find", { filter: [], order: "newest-first", limit: 10 }])).toMatchObject([
      { result: { number: 100 } },
      { result: { entries: { length: 10 } } },
    ]);
    expect(serve(["check"])).toMatchObject([{ error: { code: "LOG_UNAVAILABLE" } }]);
    file.database.exec("PRAGMA max_page_count = 1000000");
    expect(serve(["append", large], ["check"])).toMatchObject([{ result: { follows: { number: 100 } } }, { id: 1 }]);
    expect(serve(["head"])).toMatchObject([{ result: { number: 200 } }]);
  });

  it("reads on after a write that ends the connection to the file, for those too who have waited with it", async () => {
    const options = { file: join(folder, "other.db"), limits: WIDE_LIMITS, busyTimeoutMs: 0 };
    const serve = serveStoreOf(() => openSqliteStore(options));
    serve(["append", batchOf(100, "before")]);
    const find = ["find", { filter: [], order: "newest-first", limit: 10 }] as const;
    const calls = [["head"], ["recordRequests", [{}]], find, ["append", batchOf(1, "refused")]] as const;
    await limitFiles(process.pid, 1);
    const replies = serve(...calls);
    await limitFiles(process.pid, "unlimited");
    const refused = { code: "LOG_UNAVAILABLE", message: expect.stringContaining("the disk reports an error") };
    expect(replies).toMatchObject([
      { id: 3, error: refused },
      { id: 0, result: { number: 100 } },
      { id: 1, error: refused },
      { id: 2, result: { entries: { length: 10 } } },
    ]);
    expect(serve(...calls)).toMatchObject([{ result: { appended: [0] } }, { result: { number: 101 } }, { id: 1 }, {}]);
    serve(["close"]);
  });

  it("syncs the disk at each append, whatever is recorded between two, which waits for no disk", () => {
    // As SQLite counts: 1 is NORMAL, which leaves the write-ahead log unsynced; 2 is FULL.
    const [normal, full] = [1, 2];
    const modes: unknown[] = [];
    const mode = file.database.prepare("PRAGMA synchronous");
    const { transaction } = file;
    file = {
      ...file,
      transaction(work) {
        modes.push(mode.get()?.synchronous);
        return transaction(work);
      },
    };
    const serve = serveAll();
    serve(["head"]);
    modes.length = 0;
    serve(["append", batchOf(1, "a")], ["recordRequests", [{}]]);
    serve(["append", batchOf(1, "b")]);
    expect(modes).toEqual([full, normal, full]);
    expect(file.database.prepare("PRAGMA journal_mode").get()).toEqual({ journal_mode: "wal" });
  });

  it("keeps no row of what the log and the deduplication window have let go", () => {
    const serve = serveAll({ ...WIDE_LIMITS, retentionEvents: 50, deduplicationEvents: 80 });
    const fieldsOf = (i: number) => ({ tags: [`tag-${i}`, "every"], email: `${i}@example.com`, subaccount: "s" });
    for (let i = 0; i < 40; i++) serve(["append", batchOf(25, `batch-${i}`, fieldsOf)]);
    expect([rows("events"), rows("entries")]).toEqual([50, 80]);
    // Of 50 events: an address, a message and a tag each of the 25 kinds, and type, subaccount and the tag of all.
    expect(rows("postings")).toBe(25 + 50 + 25 + 3);
    const large = batchOf(1_000, "large", fieldsOf);
    serve(["append", large]);
    expect([rows("events"), rows("entries")]).toEqual([50, 80]);
    expect(rows("postings")).toBe(3 * 50 + 3);
  });

  it("sweeps a backlog away in parts", () => {
    serveAll()(["append", batchOf(3_500, "event")]);
    const serve = serveAll({ ...WIDE_LIMITS, retentionEvents: 10, deduplicationEvents: 20 });
    expect(serve(["head"])).toMatchObject([{ result: { number: 3_500, oldest: 3_491 } }]);
    const more: unknown[] = [];
    for (let i = 0; i < 5; i++) more.push(serve(["sweep"])[0]);
    expect(more.map((reply) => (reply as { result: boolean }).result)).toEqual([true, true, true, false, false]);
    expect([rows("events"), rows("entries")]).toEqual([10, 20]);
  });

  it("ends a page of large events early, and goes on from there", () => {
    const serve = serveAll();
    for (let i = 0; i < 5; i++) serve(["append", batchOf(10, `large-${i}`, () => ({ bytes: 1_000_000 }))]);
    const query = { filter: [], order: "newest-first", limit: 500 } as const;
    const find = (from?: Position | null) => (serve(["find", { ...query, from }])[0] as { result: StoredPage }).result;
    const first = find();
    expect(first).toMatchObject({ hasMore: true, end: { number: first.entries.at(-1)?.number } });
    expect(first.entries.length).toBeLessThan(40);
    const numbers = [...first.entries, ...find(first.end).entries].map(({ number }) => number);
    expect(numbers).toEqual(Array.from({ length: 50 }, (_, i) => 50 - i));
  });

  it("forgets the counts of minutes that are over the age", () => {
    const serve = serveAll({ ...WIDE_LIMITS, retentionEvents: 5, retentionMs: 86_400_000 });
    serve(["append", batchOf(10, "event")]);
    const minute = Math.floor(Date.now() / 60_000);
    const insert = file.database.prepare("INSERT INTO counts VALUES (?, ?, 'open', ?, 7)");
    for (const daysAgo of [0.5, 2]) {
      insert.run(0, "", minute - daysAgo * 1_440);
      insert.run(1, "account-1", minute - daysAgo * 1_440);
    }
    const query = { from: 0, to: Date.now() + 60_000, buckets: 1, filter: [{ field: "type", anyOf: ["open"] }] };
    expect(serve(["count", query])).toMatchObject([{ result: [{ count: 14 }] }]);
    serve(["trim"]);
    expect(serve(["count", query])).toMatchObject([{ result: [{ count: 7 }] }]);
    expect(rows("counts WHERE type = 'open'")).toBe(2);
  });
});
