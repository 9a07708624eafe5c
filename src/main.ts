import cluster from "node:cluster";
import process from "node:process";
import type { Logger } from "pino";
import { type Config, ConfigError, loadConfig } from "./config.ts";
import { settledEnvironment } from "./env-file.ts";
import { startService } from "./service.ts";
import { settingsHelp } from "./settings-table.ts";
import { createLogger } from "./telemetry/logger.ts";
import { welcome } from "./telemetry/welcome.ts";
import { createSharing, startWorkers, type WorkerMessage } from "./workers.ts";

/** Ends the process at once where a second signal asks for it: the shell's convention of 128 and the signal. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

/** What is started and stopped here: the service itself, or the workers that run it. */
interface Running {
  readonly url: string;
  /** Begun when it listens. */
  readonly afterwards?: (() => Promise<void>) | undefined;
  stop(): Promise<void>;
}

async function main(): Promise<void> {
  if (process.argv.includes("--help")) {
    process.stdout.write(`mandrill-live is set up by environment variables:\n\n${settingsHelp()}`);
    return;
  }
  // Workers are given the same, whatever the file says when one of them is started again.
  Object.assign(process.env, await settledEnvironment(process.env));
  const config = readConfig();
  const logger = createLogger({ level: config.telemetry.level, pretty: process.stdout.isTTY && !config.production });
  // Workers would each say it again.
  if (cluster.isPrimary) for (const warning of config.warnings) logger.warn(warning);
  let running: Running;
  try {
    running = await start(config, logger);
  } catch (error) {
    process.stderr.write(`mandrill-live could not start: ${error instanceof Error ? error.message : error}\n`);
    process.exit(1);
  }
  stopOnRequest(running, logger);
  if (cluster.isPrimary) process.stdout.write(welcome(config, running.url));
  await running.afterwards?.();
}

async function start(config: Config, logger: Logger): Promise<Running> {
  if (cluster.isPrimary && config.workers > 1) return startWorkers(config.workers, logger);
  const service = await startService(config, logger, cluster.isWorker ? createSharing() : undefined);
  cluster.worker?.send({ type: "listening", url: service.url } satisfies WorkerMessage);
  return { url: service.url, afterwards: service.preparePage, stop: service.stop };
}

/** Stops in order at the first signal, and for a worker also when it is told to or left alone. */
function stopOnRequest(running: Running, logger: Logger): void {
  let stopping = false;
  const stop = (why: object): void => {
    if (stopping) return;
    stopping = true;
    logger.info(why, "stopping");
    running.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.fatal({ err: error }, "the service could not be stopped in order");
        process.exit(1);
      },
    );
  };
  for (const [signal, code] of Object.entries(SIGNALS)) {
    process.on(signal, () => {
      if (stopping) process.exit(code);
      stop({ signal });
    });
  }
  if (!cluster.isWorker) return;
  process.on("message", (message: WorkerMessage) => {
    if (message.type === "stop") stop({});
  });
  process.on("disconnect", () => stop({}));
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
