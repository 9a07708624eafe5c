import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { text as textOf } from "node:stream/consumers";
import { loadConfig } from "../config.ts";
import { settledEnvironment } from "../env-file.ts";
import { backUpRevokedTokens, backUpUnusedLog, checkBackup } from "../event-log/sqlite/backup.ts";
import { LOG_FILE } from "../event-log/sqlite/sqlite-event-log.ts";
import { text } from "../setting-kind.ts";
import { optionValue, runCommand, UsageError } from "./command-line.ts";
import { askService } from "./control-client.ts";

const HELP = `Copies the embedded event log (SQLite) to a file, while the service goes on.

  npm run backup -- --to FILE

  --to FILE   a file that is not there yet

The copy is read from end to end before this ends with 0. To restore it: stop the service, move what is in DATA_DIR
away, put the copy there as ${LOG_FILE}, and start the service. Redis has backups of its own.
`;

await runCommand({
  name: "backup",
  help: HELP,
  options: { to: { type: "string" } },
  async run(values) {
    const to = optionValue("to", values.to, text("the path of a file", /^.+$/));
    if (to === undefined) throw new UsageError("--to is missing: the file to copy the log to.");
    const target = resolve(to);
    const { eventLog } = loadConfig(await settledEnvironment(process.env));
    if (eventLog.kind !== "sqlite") {
      throw new UsageError("The event log is in Redis, which has backups of its own (RDB and AOF files).");
    }
    const file = join(eventLog.dataDir, LOG_FILE);
    if (!existsSync(file)) throw new Error(`There is no event log in ${eventLog.dataDir}.`);
    const answer = await askService(eventLog.dataDir, "POST", "/backup", { file: target });
    if (answer === null) await backUpUnusedLog(file, target);
    else await textOf(answer);
    await backUpRevokedTokens(file, target);
    const { events, head } = checkBackup(target);
    process.stdout.write(`${target} holds ${events} events, up to number ${head}, and is sound.\n`);
    return 0;
  },
});
