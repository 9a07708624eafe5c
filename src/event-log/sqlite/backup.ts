import { existsSync } from "node:fs";
import { chmod, link, rm } from "node:fs/promises";
import { backup, DatabaseSync } from "node:sqlite";
import { setTimeout as rest } from "node:timers/promises";
import { logUnavailable } from "../../error.ts";
import { revokedTokensPath } from "./revoked-tokens.ts";
import { openUnusedLogFile } from "./unused-log-file.ts";

/** Pages copied in one step, for which whoever else is at the file waits: 2 MB, some milliseconds. */
const STEP_PAGES = 500;

/**
 * SQLite's codes of a step that came amid a write of the same connection. Node goes on then, but for the first step,
 * of which it tells as of no error at all.
 */
const MET_A_WRITE: ReadonlySet<unknown> = new Set([0, 5, 6]);

/** How long a copy is tried to be begun, where writes follow on each other without a pause. Milliseconds. */
const PATIENCE = 60_000;
/** The longest rest before it is begun again: by chance, so as not to keep step with the writes. Milliseconds. */
const MAX_REST = 20;

/** What a backup was found to hold. */
export interface BackupContent {
  /** Events that the log held, and the number of the newest; 0 in an empty log. */
  readonly events: number;
  readonly head: number;
}

/**
 * Copies a database to `target`, step by step. What this connection writes meanwhile goes into the copy too
 * (https://www.sqlite.org/backup.html), so it is the database as it is at the end. Never replaces a file.
 */
export async function backUpLog(database: DatabaseSync, target: string): Promise<void> {
  const unfinished = `${target}.part`;
  if (existsSync(target)) throw logUnavailable(`There is a file at ${target} already, and a backup replaces none.`);
  await rm(unfinished, { force: true });
  try {
    await copyInSteps(database, unfinished);
    await chmod(unfinished, 0o600);
    // Unlike a rename, it fails where somebody else was faster.
    await link(unfinished, target);
  } finally {
    await rm(unfinished, { force: true });
  }
}

async function copyInSteps(database: DatabaseSync, target: string): Promise<void> {
  const begun = performance.now();
  for (;;) {
    try {
      await backup(database, target, { rate: STEP_PAGES });
      return;
    } catch (error) {
      if (performance.now() - begun > PATIENCE || !MET_A_WRITE.has((error as { errcode?: unknown }).errcode))
        throw error;
      await rm(target, { force: true });
      await rest(Math.random() * MAX_REST);
    }
  }
}

/** Copies the log in `file`, which must be there and which no service has open. */
export async function backUpUnusedLog(file: string, target: string): Promise<void> {
  const log = openUnusedLogFile(file);
  try {
    await backUpLog(log.database, target);
  } finally {
    log.close();
  }
}

/** Copies the list of revoked tokens that belongs to the log in `file`, where there is one, to that of `target`. */
export async function backUpRevokedTokens(file: string, target: string): Promise<void> {
  const source = revokedTokensPath(file);
  if (!existsSync(source)) return;
  const database = new DatabaseSync(source, { timeout: 5_000 });
  try {
    await backUpLog(database, revokedTokensPath(target));
  } finally {
    database.close();
  }
}

/** Reads a backup from end to end; throws where it is damaged. */
export function checkBackup(file: string): BackupContent {
  const database = new DatabaseSync(file);
  try {
    const verdict = Object.values(database.prepare("PRAGMA integrity_check").get() ?? {})[0];
    if (verdict !== "ok") throw logUnavailable(`The backup is damaged: ${verdict}.`);
    const row = database
      .prepare(
        `SELECT (SELECT count(*) FROM events WHERE number >= meta.oldest AND stored IS NOT NULL) AS events,
           (SELECT coalesce(max(number), 0) FROM entries) AS head FROM meta`,
      )
      .get();
    return { events: Number(row?.events), head: Number(row?.head) };
  } finally {
    database.close();
  }
}
