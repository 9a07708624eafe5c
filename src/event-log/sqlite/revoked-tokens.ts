import { DatabaseSync } from "node:sqlite";
import { logUnavailable } from "../../error.ts";
import type { RevokedTokens } from "../event-log.ts";
import { createFile } from "./new-file.ts";
import { APPLICATION_ID } from "./schema.ts";

/** Milliseconds to wait for another process that is at the file: each holds it for one small transaction. */
const BUSY_TIMEOUT = 2_000;

/** Version of the table. */
const VERSION = 1;

/** The tokens that no longer hold, in a file that other processes may write to while this one has it open. */
export interface RevokedTokensFile {
  /** As {@link EventLog.revoke}; durable when it returns. */
  revoke(tokenId: string, until: number): void;
  /** As {@link EventLog.revokedTokens}. */
  list(known: string | null): RevokedTokens | null;
  close(): void;
}

/**
 * Where they are kept for the log in `file`. A file of their own, because the log's is locked by the process that has
 * it open: `npm run revoke` must get in beside the running service.
 */
export function revokedTokensPath(file: string): string {
  return `${file}-revoked`;
}

/** Opens the file, and makes it where it is missing. */
export function openRevokedTokens(path: string): RevokedTokensFile {
  createFile(path);
  const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT });
  try {
    prepare(database);
  } catch (error) {
    database.close();
    throw error;
  }
  const revision = database.prepare("SELECT revision FROM list");
  const select = database.prepare("SELECT token_id AS tokenId FROM revoked WHERE until >= ?");
  const insert = database.prepare(
    "INSERT INTO revoked VALUES (?, ?) ON CONFLICT DO UPDATE SET until = max(until, excluded.until)",
  );
  const removeOld = database.prepare("DELETE FROM revoked WHERE until < ?");
  const raise = database.prepare("UPDATE list SET revision = revision + 1");
  return {
    revoke(tokenId, until) {
      inTransaction(database, "IMMEDIATE", () => {
        removeOld.run(Date.now());
        insert.run(tokenId, until);
        raise.run();
      });
    },
    list: (known) =>
      inTransaction(database, "DEFERRED", () => {
        const now = String(revision.get()?.revision);
        if (now === known) return null;
        return { revision: now, tokenIds: select.all(Date.now()).map(({ tokenId }) => tokenId as string) };
      }),
    close: () => database.close(),
  };
}

function prepare(database: DatabaseSync): void {
  const id = Object.values(database.prepare("PRAGMA application_id").get() ?? {})[0];
  if (id === APPLICATION_ID) return;
  inTransaction(database, "IMMEDIATE", () => {
    const tables = database.prepare("SELECT count(*) AS tables FROM sqlite_schema").get()?.tables;
    // Another process may just have made it; anything else in it is not ours.
    const version = Object.values(database.prepare("PRAGMA user_version").get() ?? {})[0];
    if (tables !== 0) {
      if (version === VERSION) return;
      throw logUnavailable("The file of revoked tokens is a SQLite database of another program.");
    }
    database.exec(`
      CREATE TABLE revoked (token_id TEXT PRIMARY KEY, until INTEGER NOT NULL) STRICT, WITHOUT ROWID;
      CREATE TABLE list (revision INTEGER NOT NULL) STRICT;
      INSERT INTO list VALUES (0);
      PRAGMA application_id = ${APPLICATION_ID};
      PRAGMA user_version = ${VERSION};
    `);
  });
}

function inTransaction<T>(database: DatabaseSync, kind: "IMMEDIATE" | "DEFERRED", work: () => T): T {
  database.exec(`BEGIN ${kind}`);
  try {
    const result = work();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}
