import { randomBytes } from "node:crypto";
import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { logUnavailable } from "../../error.ts";
import { CURSOR_KEY_BYTES, type CursorCodec, createCursorCodec, ORIGIN_TAG } from "../../event/cursor.ts";
import { createFile } from "./new-file.ts";
import { APPLICATION_ID, SCHEMA, SCHEMA_VERSION } from "./schema.ts";

/** Where the log stands; held in memory, and as it is in the file whenever no transaction is open. */
export interface LogState {
  epoch: string;
  /** The newest entry; 0 and {@link ORIGIN_TAG} while the log is empty. */
  number: number;
  tag: string;
  receivedAt: number;
  /** Number of the oldest entry held. */
  oldest: number;
  /** Start of the first minute for which counts are kept. */
  countsFrom: number;
}

/** The open file: this process holds its lock until it closes it or ends. */
export interface LogFile {
  readonly path: string;
  readonly database: DatabaseSync;
  readonly cursorKey: Uint8Array;
  readonly codec: CursorCodec;
  readonly state: Readonly<LogState>;
  /** Milliseconds since a transaction that changed anything was committed; infinite where none was, or one has failed since. */
  idleMs(): number;
  /** Whether what was opened still lies where it was opened. */
  isInPlace(): boolean;
  /** Runs `work` on a draft of the state in one transaction: both take effect, durably, or neither does. */
  transaction<T>(work: (draft: LogState) => T): T;
  close(): void;
}

/** Pages of 4 kB (64 MB): how far the write-ahead log grows before they are moved to the file, each but once. */
const CHECKPOINT_PAGES = 16_000;
/** Bytes to which the write-ahead log's file is cut back where a large transaction has made it longer. */
const WAL_BYTES = CHECKPOINT_PAGES * 4_096;
const CACHE_KIB = 65_536;

function pragma(database: DatabaseSync, name: string): unknown {
  return Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
}

function createTables(database: DatabaseSync): void {
  database.exec(SCHEMA);
  database
    .prepare("INSERT INTO meta VALUES (1, ?, ?, ?, ?, 1, 0, 0, x'')")
    .run(SCHEMA_VERSION, SCHEMA_VERSION, randomBytes(4).toString("hex"), randomBytes(CURSOR_KEY_BYTES));
  database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
}

/** Makes the tables in a new file; refuses what is not ours and what a newer version has changed beyond us. */
function prepareTables(database: DatabaseSync): void {
  if (pragma(database, "application_id") !== APPLICATION_ID) {
    const tables = database.prepare("SELECT count(*) AS tables FROM sqlite_schema").get();
    if (tables?.tables !== 0) throw logUnavailable("The event log's file is a SQLite database of another program.");
    createTables(database);
    return;
  }
  const meta = database.prepare("SELECT schema_version AS version, oldest_reader AS reader FROM meta").get();
  if (Number(meta?.reader) > SCHEMA_VERSION) {
    throw logUnavailable(
      `The event log's file was written by a newer version of this program (schema ${meta?.version}; this one ` +
        `knows schema ${SCHEMA_VERSION}): start that version or a later one.`,
    );
  }
}

function readState(database: DatabaseSync): { cursorKey: Uint8Array; state: LogState } {
  const meta = database.prepare("SELECT epoch, cursor_key, oldest, counts_from FROM meta").get();
  const head = database.prepare("SELECT number, tag, received_at FROM entries ORDER BY number DESC LIMIT 1").get();
  return {
    cursorKey: meta?.cursor_key as Uint8Array,
    state: {
      epoch: meta?.epoch as string,
      number: (head?.number ?? 0) as number,
      tag: (head?.tag ?? ORIGIN_TAG) as string,
      receivedAt: (head?.received_at ?? 0) as number,
      oldest: meta?.oldest as number,
      countsFrom: meta?.counts_from as number,
    },
  };
}

/**
 * Opens the log's file and takes its lock, waiting up to `busyTimeoutMs` for it. In the exclusive locking mode
 * SQLite keeps the kernel's lock on the file from the first statement on; it ends with the process, however that ends.
 */
export function openLogFile(file: string, busyTimeoutMs: number): LogFile {
  mkdirSync(dirname(file), { recursive: true });
  createFile(file);
  const database = new DatabaseSync(file, { timeout: busyTimeoutMs });
  try {
    database.exec("PRAGMA locking_mode = EXCLUSIVE");
    database.exec("PRAGMA journal_mode = WAL");
    // FULL: the write-ahead log is fsynced at every commit (https://www.sqlite.org/pragma.html#pragma_synchronous).
    database.exec("PRAGMA synchronous = FULL");
    database.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}; PRAGMA journal_size_limit = ${WAL_BYTES}`);
    database.exec(`PRAGMA cache_size = -${CACHE_KIB}`);
    database.exec("BEGIN IMMEDIATE");
    prepareTables(database);
    database.exec("COMMIT");
    return logFile(database, file);
  } catch (error) {
    database.close();
    throw error;
  }
}

function logFile(database: DatabaseSync, path: string): LogFile {
  const { cursorKey, state } = readState(database);
  const begin = database.prepare("BEGIN IMMEDIATE");
  const commit = database.prepare("COMMIT");
  const countChanges = database.prepare("SELECT total_changes() AS changes");
  const changes = (): unknown => countChanges.get()?.changes;
  const { dev, ino } = statSync(path);
  let committedAt = Number.NEGATIVE_INFINITY;
  const saveMeta = database.prepare("UPDATE meta SET epoch = ?, oldest = ?, counts_from = ?");
  return {
    path,
    database,
    cursorKey,
    codec: createCursorCodec(cursorKey),
    state,
    idleMs: () => performance.now() - committedAt,
    isInPlace() {
      const found = statSync(path, { throwIfNoEntry: false });
      return found?.dev === dev && found.ino === ino;
    },
    transaction(work) {
      const draft = { ...state };
      const before = changes();
      begin.run();
      try {
        const result = work(draft);
        const { epoch, oldest, countsFrom } = draft;
        if (epoch !== state.epoch || oldest !== state.oldest || countsFrom !== state.countsFrom) {
          saveMeta.run(epoch, oldest, countsFrom);
        }
        commit.run();
        // A transaction that changed nothing has not asked the disk.
        if (changes() !== before) committedAt = performance.now();
        Object.assign(state, draft);
        return result;
      } catch (error) {
        committedAt = Number.NEGATIVE_INFINITY;
        // Some failures have rolled back already; then there is nothing left to undo.
        if (database.isTransaction) database.exec("ROLLBACK");
        throw error;
      }
    },
    close: () => database.close(),
  };
}
