import { randomBytes } from "node:crypto";
import { logUnavailable } from "../../error.ts";
import type { LogLimits } from "../event-log.ts";
import { createAppend } from "./append.ts";
import { backUpLog } from "./backup.ts";
import { createCount } from "./counting.ts";
import { createErasing } from "./erasing.ts";
import { createFind } from "./finding.ts";
import { type LogFile, openLogFile } from "./log-file.ts";
import { createMinuteCounts } from "./minute-counts.ts";
import { createPostings } from "./postings.ts";
import { createReading } from "./reading.ts";
import { createRequestRecord } from "./request-record.ts";
import { createRetention } from "./retention.ts";
import { openRevokedTokens, type RevokedTokensFile, revokedTokensPath } from "./revoked-tokens.ts";
import type { AppendBatch, AppendReply, StoreCalls } from "./store-calls.ts";
import { createTimeline } from "./timeline.ts";

export interface SqliteStoreOptions {
  readonly file: string;
  readonly limits: LogLimits;
  /** Milliseconds to wait for another process to give the file up. */
  readonly busyTimeoutMs: number;
}

/** The store as the worker has it: synchronous, and with several appends as one. */
export interface SqliteStore extends Omit<StoreCalls, "append"> {
  /** Appends all batches in one transaction, durable at once; all of them or none. */
  append(batches: readonly AppendBatch[]): AppendReply[];
}

/** Trimmed entries that one transaction sweeps: some milliseconds, for which appends wait. */
const SWEEP_ENTRIES = 1_000;

/** Milliseconds for which a transaction that was committed stands for a check. */
const CHECKED_MS = 1_000;

/** Bytes that a check writes after a transaction has failed: as many as a batch, since a full disk may have some left. */
const PROBE_BYTES = 1024 * 1024;

/** Opens the file and takes its lock. Throws where another process has it, or where it is none of ours. */
export function openSqliteStore({ file, limits, busyTimeoutMs }: SqliteStoreOptions): SqliteStore {
  return createSqliteStore(openLogFile(file, busyTimeoutMs), limits);
}

export function createSqliteStore(file: LogFile, limits: LogLimits): SqliteStore {
  const { database, state } = file;
  const postings = createPostings(file);
  const counts = createMinuteCounts(database);
  const timeline = createTimeline(database);
  const reading = createReading(file);
  const retention = createRetention(file, limits, postings, counts, timeline);
  const requests = createRequestRecord(file);
  const erasing = createErasing(file, postings, counts);
  let revokedTokens: RevokedTokensFile | undefined;
  // Nobody asks for it, and it is not made, while no access rules are set.
  const revoked = () => {
    revokedTokens ??= openRevokedTokens(revokedTokensPath(file.path));
    return revokedTokens;
  };
  const writeCheck = database.prepare("UPDATE meta SET checked_at = ?, probe = zeroblob(?)");
  // The limits may be narrower than when the file was last open.
  file.transaction((draft) => retention.trimByCount(draft));
  return {
    open: () => file.cursorKey,
    append: createAppend(file, limits, postings, counts, retention),
    read: reading.read,
    head: reading.head,
    find: createFind(file, postings, reading),
    findById(id) {
      const entry = reading.entryOfId(id);
      return entry === null ? null : { ...entry, epoch: state.epoch };
    },
    count: createCount(file, postings, counts, timeline),
    recordRequests: requests.record,
    requests: requests.newest,
    renewEpoch: (known) =>
      file.transaction((draft) => {
        if (draft.epoch === known) draft.epoch = randomBytes(4).toString("hex");
        return draft.epoch;
      }),
    revoke: (tokenId, until) => revoked().revoke(tokenId, until),
    revokedTokens: (known) => revoked().list(known),
    erase: erasing.erase,
    scrub: erasing.scrub,
    trim: () => file.transaction((draft) => retention.trimByAge(draft)),
    sweep: () => file.transaction((draft) => retention.sweep(draft, SWEEP_ENTRIES).more),
    check() {
      if (!file.isInPlace()) throw logUnavailable("The event log's file was moved or deleted while it was open.");
      const idleMs = file.idleMs();
      if (idleMs < CHECKED_MS) return;
      const bytes = Number.isFinite(idleMs) ? 0 : PROBE_BYTES;
      // Written and fsynced: nothing less tells a disk that is full or read-only. Checks in a crowd share one.
      file.transaction(() => writeCheck.run(Date.now(), bytes));
    },
    backup: (target) => backUpLog(database, target),
    close() {
      revokedTokens?.close();
      file.close();
    },
  };
}
