import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, stat, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import type { Readable } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { EventLog } from "../../src/event-log/event-log.ts";
import { backUpLog } from "../../src/event-log/sqlite/backup.ts";
import { revokedTokensPath } from "../../src/event-log/sqlite/revoked-tokens.ts";
import { openSqliteEventLog } from "../../src/event-log/sqlite/sqlite-event-log.ts";
import { sampleEvents } from "../harness/event-samples.ts";
import { entriesOf, idsOf, originOf } from "../harness/log-suite.ts";
import { WIDE_LIMITS } from "../harness/wide-limits.ts";

let folder: string;
let file: string;
let opened: EventLog[] = [];
let children: ChildProcessByStdio<null, Readable, null>[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mandrill-live-sqlite-"));
  file = join(folder, "data", "events.db");
});

afterEach(async () => {
  for (const child of children) child.kill("SIGKILL");
  for (const eventLog of opened) await eventLog.close();
  [children, opened] = [[], []];
  await rm(folder, { recursive: true, force: true });
});

async function open(busyTimeoutMs = 0): Promise<EventLog> {
  const eventLog = await openSqliteEventLog({ file, limits: WIDE_LIMITS, busyTimeoutMs });
  opened.push(eventLog);
  return eventLog;
}

/** Starts another process that holds the file and appends to it; its lines come one by one. */
function hold(busyTimeoutMs = 0) {
  const script = fileURLToPath(new URL("./sqlite-holder.ts", import.meta.url));
  const child = spawn(process.execPath, [script, file, String(busyTimeoutMs)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return { child, line: async () => (await lines.next()).value as string };
}

/** Changes the file while no log has it open. */
function edit(sql: string): void {
  const database = new DatabaseSync(file);
  database.exec(sql);
  database.close();
}

const refusal = (sentence: RegExp) => ({ code: "LOG_UNAVAILABLE", message: expect.stringMatching(sentence) });

describe("the lock of a SQLite log", () => {
  it("keeps a second process out, and says so", async () => {
    await open();
    expect(await hold().line()).toMatch(/in use by another process/);
  });

  it("keeps a second log of the same process out", async () => {
    await open();
    await expect(open()).rejects.toMatchObject(refusal(/in use by another process.*events\.db/));
  });

  it("is waited for", async () => {
    const first = await open();
    const { line } = hold(20_000);
    await first.append(sampleEvents(3));
    await first.close();
    expect(await line()).toBe("open");
    expect(await line()).toBe("13");
  });

  it("goes with the process that had it, killed in the middle of its work; what it acknowledged stays", async () => {
    const { child, line } = hold();
    expect(await line()).toBe("open");
    await expect(open()).rejects.toMatchObject(refusal(/in use by another process/));
    let acknowledged = 0;
    while (acknowledged < 200) acknowledged = Number(await line());
    child.kill("SIGKILL");
    await once(child, "exit");
    const eventLog = await open();
    const entries = await entriesOf(eventLog);
    expect(entries.length).toBeGreaterThanOrEqual(acknowledged);
    expect(entries.length % 10).toBe(0);
    expect(idsOf(entries)).toEqual(entries.map((_, i) => `holder-${Math.floor(i / 10)}-${(i % 10) + 1}`));
    expect(await eventLog.append(sampleEvents(10, "holder-0"))).toMatchObject({ appended: 0, duplicates: 10 });
  });
});

describe("the file of a SQLite log", () => {
  it("is made with its folder, for its owner alone, and so is the list of revoked tokens beside it", async () => {
    const eventLog = await open();
    await eventLog.revoke("token", Date.now() + 60_000);
    for (const path of [file, revokedTokensPath(file)]) expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it("is refused where a newer version has changed it beyond this one", async () => {
    await (await open()).close();
    edit("UPDATE meta SET schema_version = 7, oldest_reader = 5");
    await expect(open()).rejects.toMatchObject(refusal(/newer version .*schema 7; this one knows schema 1/));
  });

  it("is taken where a newer version has changed it, but says that this one may use it", async () => {
    const first = await open();
    await first.append(sampleEvents(2));
    await first.close();
    edit("ALTER TABLE meta ADD COLUMN later TEXT; UPDATE meta SET schema_version = 7, oldest_reader = 1");
    expect(await (await open()).append(sampleEvents(3))).toEqual({ appended: 1, duplicates: 2, head: 3 });
  });

  it("is refused where it is another program's, and left as it was", async () => {
    await mkdir(join(folder, "data"));
    edit("CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)");
    await expect(open()).rejects.toMatchObject(refusal(/another program/));
    edit("INSERT INTO theirs VALUES (2)");
  });

  it("is refused where it is no database", async () => {
    await mkdir(join(folder, "data"));
    await writeFile(file, "events, but not in a database\n".repeat(1_000));
    await expect(open()).rejects.toMatchObject(refusal(/no SQLite database/));
  });

  it("is refused where it cannot be made", async () => {
    await writeFile(join(folder, "data"), "a file where the folder should be");
    await expect(open()).rejects.toMatchObject(refusal(/mkdir: EEXIST|ENOTDIR/));
    await rm(join(folder, "data"));
    await mkdir(file, { recursive: true });
    await expect(open()).rejects.toMatchObject(refusal(/cannot be opened/));
  });

  it("is missed by a check when it is deleted", async () => {
    const eventLog = await open();
    await eventLog.check();
    await unlink(file);
    await expect(eventLog.check()).rejects.toMatchObject(refusal(/moved or deleted/));
  });
});

describe("a backup of a SQLite log", () => {
  it("is made where one write follows on the other", async () => {
    const database = new DatabaseSync(join(folder, "written.sqlite"));
    database.exec("PRAGMA journal_mode = WAL; CREATE TABLE rows (content)");
    let isOver = false;
    const writing = (async () => {
      while (!isOver) {
        database.exec("BEGIN IMMEDIATE");
        for (let row = 0; row < 300; row += 1) database.exec("INSERT INTO rows VALUES (randomblob(500))");
        database.exec("DELETE FROM rows; COMMIT");
        await nextTurn();
      }
    })();
    for (const name of ["one", "two", "three", "four", "five"]) {
      await backUpLog(database, join(folder, name));
      expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
    }
    isOver = true;
    await writing;
    database.close();
  });
});

describe("an erased event of a SQLite log", () => {
  it("keeps its number, is read as null, and is found no more", async () => {
    const first = await open();
    await first.append(sampleEvents(5));
    await first.close();
    edit("UPDATE events SET stored = NULL WHERE number IN (2, 5)");
    const eventLog = await open();
    const { entries } = await eventLog.read(originOf(await eventLog.head()), { entries: 10, bytes: 1 });
    expect(entries).toHaveLength(1);
    const chunk = await eventLog.read(originOf(await eventLog.head()), { entries: 10, bytes: 100_000 });
    expect(chunk.entries.map(({ event }) => event?.id ?? null)).toEqual(["event-1", null, "event-3", "event-4", null]);
    expect(chunk.entries[1]).toMatchObject({ number: 2, event: null, bytes: 0 });
    for (const filter of [[], [{ field: "type", anyOf: ["send"] }] as const]) {
      for (const [order, ids] of [
        ["newest-first", ["event-4", "event-3", "event-1"]],
        ["oldest-first", ["event-1", "event-3", "event-4"]],
      ] as const) {
        const page = await eventLog.find({ filter, order, limit: 3 });
        expect([idsOf(page.entries), page.hasMore]).toEqual([ids, false]);
      }
    }
    expect(await eventLog.findById("event-2")).toBeNull();
    expect(await eventLog.append(sampleEvents(5))).toMatchObject({ appended: 0, duplicates: 5 });
  });
});
