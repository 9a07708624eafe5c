import { loadConfig } from "../config.ts";
import { settledEnvironment } from "../env-file.ts";
import { convertLog } from "../event-log/redis/conversion.ts";
import { createKeys } from "../event-log/redis/keys.ts";
import { openLink } from "../event-log/redis/link.ts";
import { RAW_EVENTS } from "../mandrill/raw-events.ts";
import { runCommand, UsageError } from "./command-line.ts";
import { createProgress, type Progress } from "./progress.ts";

const HELP = `Gives a log in Redis that the version before has made the layout of this version.

  npm run convert

Run it once every instance is of this version: one of the version before cannot use the log from then on, and answers
503 until it is replaced. There is no way back but a backup. The instances serve meanwhile, and every cursor stays good.
A conversion that was cut off is done when it is run again. Which Redis: as the service, by the environment and .env.
`;

/** Milliseconds for one step: a block takes Redis some. */
const TIMEOUT = 30_000;

await runCommand({
  name: "convert",
  help: HELP,
  options: {},
  async run() {
    const { eventLog } = loadConfig(await settledEnvironment(process.env));
    if (eventLog.kind !== "redis") {
      throw new UsageError(
        "The environment names no Redis: the embedded log's file is converted when the service opens it.",
      );
    }
    const { connection, prefix } = eventLog;
    const link = openLink(connection, "convert", TIMEOUT);
    let progress: Progress | undefined;
    try {
      const converted = await convertLog({
        link,
        keys: createKeys(prefix),
        form: RAW_EVENTS,
        onProgress(indexed, total) {
          progress ??= createProgress({ stream: process.stderr, what: "entries", total });
          progress.update(indexed);
        },
      });
      const said = converted === null ? "There is nothing to convert." : `Converted ${converted} entries.`;
      process.stdout.write(`${said}\n`);
      return 0;
    } finally {
      progress?.end();
      await link.close();
    }
  },
});
