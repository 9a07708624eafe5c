import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { createKeys } from "../../src/event-log/redis/keys.ts";
import { openRedisEventLog } from "../../src/event-log/redis/redis-event-log.ts";
import { openRevokedTokens, revokedTokensPath } from "../../src/event-log/sqlite/revoked-tokens.ts";
import { openSqliteEventLog } from "../../src/event-log/sqlite/sqlite-event-log.ts";
import { describeEachLog } from "../harness/log-suite.ts";
import { startRedisServer } from "../harness/redis-server.ts";
import { WIDE_LIMITS } from "../harness/wide-limits.ts";

const HOUR = 3_600_000;

describeEachLog("tokens that no longer hold", ({ create, implementation }) => {
  it("are none at first, and then those that were revoked", async () => {
    const { eventLog } = await create();
    const empty = await eventLog.revokedTokens(null);
    expect(empty?.tokenIds).toEqual([]);
    expect(await eventLog.revokedTokens(empty?.revision ?? null)).toBeNull();
    await eventLog.revoke("first", Date.now() + HOUR);
    await eventLog.revoke('second: "odd" ☃', Date.now() + HOUR);
    const list = await eventLog.revokedTokens(empty?.revision ?? null);
    expect(list?.tokenIds.toSorted()).toEqual(["first", 'second: "odd" ☃']);
    expect(await eventLog.revokedTokens(list?.revision ?? null)).toBeNull();
  });

  it("stay until their time is over, and no shorter for being revoked again", async () => {
    const { eventLog } = await create();
    await eventLog.revoke("over", Date.now() - 1);
    await eventLog.revoke("lasting", Date.now() + HOUR);
    await eventLog.revoke("lasting", Date.now() - 1);
    expect((await eventLog.revokedTokens(null))?.tokenIds).toEqual(["lasting"]);
  });

  it("are known to whoever opens the log next", async () => {
    const { eventLog, open } = await create();
    await eventLog.revoke("kept", Date.now() + HOUR);
    const next = await open();
    expect((await next.revokedTokens(null))?.tokenIds).toEqual(["kept"]);
  });

  if (!implementation.severalHandles) return;
  it("are known to every instance", async () => {
    const { eventLog, open } = await create();
    const other = await open();
    const before = await other.revokedTokens(null);
    await eventLog.revoke("told", Date.now() + HOUR);
    expect((await other.revokedTokens(before?.revision ?? null))?.tokenIds).toEqual(["told"]);
  });
});

describeEachLog("a log's secrets", ({ create, implementation }) => {
  it("are 32 bytes, one for each purpose, and another log has others", async () => {
    const { eventLog } = await create();
    const secret = await eventLog.secret("tickets");
    expect(secret.length).toBe(32);
    expect(await eventLog.secret("tickets")).toEqual(secret);
    expect(await eventLog.secret("else")).not.toEqual(secret);
    expect(await (await create()).eventLog.secret("tickets")).not.toEqual(secret);
  });

  it("are the same for whoever opens the log next", async () => {
    const { eventLog, open } = await create();
    const secret = await eventLog.secret("tickets");
    expect(await (await open()).secret("tickets")).toEqual(secret);
    // Opened on a log that is there already, before anything else was asked of it.
    if (implementation.severalHandles) expect(await (await open()).secret("tickets")).toEqual(secret);
  });
});

describe("the revoked tokens of an embedded log", () => {
  it("can be written by another process while the log is open", async () => {
    const folder = await mkdtemp(join(tmpdir(), "mandrill-live-revoked-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const file = join(folder, "events.sqlite");
    const eventLog = await openSqliteEventLog({ file, limits: WIDE_LIMITS });
    onTestFinished(() => eventLog.close());
    const before = await eventLog.revokedTokens(null);
    // The log is in a worker thread with a connection of its own: for SQLite this is as another process is.
    const beside = openRevokedTokens(revokedTokensPath(file));
    onTestFinished(() => beside.close());
    beside.revoke("beside", Date.now() + HOUR);
    const list = await eventLog.revokedTokens(before?.revision ?? null);
    expect(list?.tokenIds).toEqual(["beside"]);
    await eventLog.revoke("within", Date.now() + HOUR);
    expect(beside.list(list?.revision ?? null)?.tokenIds.toSorted()).toEqual(["beside", "within"]);
  });
});

describe("the revoked tokens in Redis", () => {
  it("expire with the last of them, and a list that was lost is told from the one before", async () => {
    const server = await startRedisServer();
    onTestFinished(() => server.stop());
    const connection = { kind: "standalone", url: server.url } as const;
    const eventLog = openRedisEventLog({ connection, prefix: "revoked", limits: WIDE_LIMITS });
    onTestFinished(() => eventLog.close());
    const keys = createKeys("revoked");
    const until = Date.now() + HOUR;
    await eventLog.revoke("long", until);
    await eventLog.revoke("short", until - 1_000);
    for (const key of [keys.revoked, keys.revision]) expect(await server.client.pexpiretime(key)).toBe(until);
    const list = await eventLog.revokedTokens(null);
    await server.client.flushall();
    expect(await eventLog.revokedTokens(list?.revision ?? null)).toEqual({ revision: "", tokenIds: [] });
  });
});
