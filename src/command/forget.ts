import { existsSync } from "node:fs";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { type Config, loadConfig } from "../config.ts";
import { settledEnvironment } from "../env-file.ts";
import { LOG_FILE } from "../event-log/sqlite/sqlite-event-log.ts";
import { text } from "../setting-kind.ts";
import { createLogger } from "../telemetry/logger.ts";
import { optionValue, runCommand, UsageError } from "./command-line.ts";
import { askService } from "./control-client.ts";

const HELP = `Erases the events of a recipient from the event log.

  npm run forget -- --email ADDRESS

  --email ADDRESS   the recipient's address, in any case

Their places stay, without an event, so that no listener sees a gap; nothing finds or counts them any more. What stays
elsewhere, such as in backups, is told in docs/operating.md. It can be cut off and run again. Which event log: as the
service, by the environment and .env. The service may be running.
`;

await runCommand({
  name: "forget",
  help: HELP,
  options: { email: { type: "string" } },
  async run(values) {
    const email = optionValue("email", values.email, text("an e-mail address", /^.+$/));
    if (email === undefined) throw new UsageError("--email is missing: the address of the recipient to forget.");
    const erased = await erase(loadConfig(await settledEnvironment(process.env)), email);
    process.stdout.write(erased === 1 ? "1 event erased.\n" : `${erased} events erased.\n`);
    return 0;
  },
});

/** By the service where it has the log's file, else in the log itself. */
async function erase({ eventLog: config, limits }: Config, email: string): Promise<number> {
  if (config.kind === "sqlite") {
    if (!existsSync(join(config.dataDir, LOG_FILE))) throw new Error(`There is no event log in ${config.dataDir}.`);
    const answer = await askService(config.dataDir, "POST", "/erase", { email });
    if (answer !== null) return ((await json(answer)) as { erased: number }).erased;
  }
  // Only here, for it brings the whole service along.
  const { openEventLog } = await import("../service.ts");
  const eventLog = await openEventLog(config, limits, createLogger({ level: "silent", pretty: false }));
  try {
    return await eventLog.erase(email);
  } finally {
    await eventLog.close();
  }
}
