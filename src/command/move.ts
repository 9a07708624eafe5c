import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Environment, loadConfig } from "../config.ts";
import { settledEnvironment } from "../env-file.ts";
import type { MovingEntry } from "../event-log/moving-log.ts";
import { type ArrivingLog, openArrivingLog } from "../event-log/redis/arriving-log.ts";
import { type LeavingLog, openLeavingLog } from "../event-log/sqlite/leaving-log.ts";
import { LOG_FILE } from "../event-log/sqlite/sqlite-event-log.ts";
import { SETTINGS } from "../setting.ts";
import { directory } from "../setting-kind.ts";
import { optionValue, runCommand, UsageError } from "./command-line.ts";
import { createProgress, type Progress } from "./progress.ts";

const HELP = `Moves the event log from SQLite to Redis, while no service runs on either.

  npm run move -- [--from ./data] [--to redis://host:6379]

  --from FOLDER   where the log is now [DATA_DIR]
  --to URL        the Redis [REDIS_URL, REDIS_SENTINELS or REDIS_CLUSTER of the environment or .env]; the keys begin
                  with REDIS_PREFIX, under which there must be no other log

Events keep their ids, their order and their times, and every cursor stays good. The file stays as it is. A move that
was cut off is taken up where it ended when it is run again; no service can use the log in Redis until it is complete.
`;

const OPTIONS = { from: { type: "string" }, to: { type: "string" } } as const;

/** Entries, and bytes of events, that are moved as one act: Redis does nothing else meanwhile. */
const PART_ENTRIES = 500;
const PART_BYTES = 4 * 1024 * 1024;

await runCommand({
  name: "move",
  help: HELP,
  options: OPTIONS,
  async run(values, signal) {
    const environment = await settledEnvironment(process.env);
    const dataDir = optionValue("from", values.from, directory) ?? (environment.DATA_DIR || SETTINGS.DATA_DIR.unset);
    const { connection, prefix } = targetOf(environment, optionValue("to", values.to, SETTINGS.REDIS_URL));
    const file = join(dataDir, LOG_FILE);
    if (!existsSync(file)) throw new UsageError(`There is no event log in ${dataDir}.`);
    const leaving = openLeavingLog(file);
    const arriving = openArrivingLog(connection, prefix);
    const progress = createProgress({ stream: process.stderr, what: "entries", total: entriesOf(leaving) });
    try {
      const said = await move(leaving, arriving, progress, signal);
      process.stdout.write(`${said} Start the service with Redis; ${file} stays as it is.\n`);
      return 0;
    } finally {
      progress.end();
      await arriving.close();
      leaving.close();
    }
  },
});

function targetOf(environment: Environment, to: string | undefined) {
  const ways = { REDIS_SENTINELS: undefined, REDIS_SENTINEL_MASTER: undefined, REDIS_CLUSTER: undefined };
  const { eventLog } = loadConfig(to === undefined ? environment : { ...environment, ...ways, REDIS_URL: to });
  if (eventLog.kind === "redis") return eventLog;
  throw new UsageError("--to is missing, and the environment names no Redis.");
}

function entriesOf({ state, first }: LeavingLog): number {
  return state.number - first + 1;
}

/** Resolves to what was done, for a person. */
async function move(
  leaving: LeavingLog,
  arriving: ArrivingLog,
  progress: Progress,
  signal: AbortSignal,
): Promise<string> {
  const { state, first } = leaving;
  const arrived = await arriving.begin(state, first);
  if (arrived === null) {
    throw new Error("There is another log under this REDIS_PREFIX: give this one another prefix, or remove that one.");
  }
  const isAsHere = arrived.number < first || arrived.tag === leaving.tagOf(arrived.number);
  if (arrived.isComplete) {
    if (arrived.number === state.number && isAsHere) return "The log had been moved before.";
    throw new Error(
      "The log was moved there before, and one of the two has taken events since: they are two logs now.",
    );
  }
  if (!isAsHere) throw new Error("What an earlier move left there is not of this log.");
  if (arrived.number >= first) progress.say(`Going on behind entry ${arrived.number}, where an earlier move ended.`);
  let moved = arrived.number;
  for (const part of partsOf(leaving.entriesFrom(moved + 1))) {
    if (signal.aborted) throw new Error("Stopped; run it again to go on.");
    await arriving.take(state, moved, part);
    moved = (part.at(-1) as MovingEntry).number;
    progress.update(moved - first + 1);
  }
  await arriving.complete(state, leaving.remainder());
  return `Moved ${entriesOf(leaving)} entries, up to number ${state.number}.`;
}

function* partsOf(entries: Iterable<MovingEntry>): Generator<readonly MovingEntry[]> {
  let part: MovingEntry[] = [];
  let bytes = 0;
  for (const entry of entries) {
    const weight = entry.stored?.length ?? 0;
    if (part.length === PART_ENTRIES || (part.length > 0 && bytes + weight > PART_BYTES)) {
      yield part;
      part = [];
      bytes = 0;
    }
    part.push(entry);
    bytes += weight;
  }
  if (part.length > 0) yield part;
}
