import process from "node:process";
import { type Config, ConfigError, loadConfig } from "./config.ts";
import { type Service, startService } from "./service.ts";
import { settingsHelp } from "./settings-table.ts";
import { createLogger } from "./telemetry/logger.ts";
import { welcome } from "./telemetry/welcome.ts";

/** Ends the process at once where a second signal asks for it: the shell's convention of 128 and the signal. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

async function main(): Promise<void> {
  if (process.argv.includes("--help")) {
    process.stdout.write(`mandrill-live is set up by environment variables:\n\n${settingsHelp()}`);
    return;
  }
  const config = readConfig();
  const logger = createLogger({ level: config.telemetry.level, pretty: process.stdout.isTTY });
  for (const warning of config.warnings) logger.warn(warning);
  let service: Service;
  try {
    service = await startService(config, logger);
  } catch (error) {
    process.stderr.write(`mandrill-live could not start: ${error instanceof Error ? error.message : error}\n`);
    process.exit(1);
  }
  let stopping = false;
  for (const [signal, code] of Object.entries(SIGNALS)) {
    process.on(signal, () => {
      if (stopping) process.exit(code);
      stopping = true;
      logger.info({ signal }, "stopping");
      service.stop().then(
        () => process.exit(0),
        (error: unknown) => {
          logger.fatal({ err: error }, "the service could not be stopped in order");
          process.exit(1);
        },
      );
    });
  }
  process.stdout.write(welcome(config, service.url));
}

function readConfig(): Config {
  try {
    return loadConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}

await main();
