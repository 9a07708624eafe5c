import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Environment, loadConfig } from "../../src/config.ts";
import { type Service, startService } from "../../src/service.ts";
import { createLogger } from "../../src/telemetry/logger.ts";

/** A service in this process, and a folder of its own that goes with it. */
export interface RunningService extends AsyncDisposable {
  readonly url: string;
  /** The same host and port with `ws:`, at /graphql. */
  readonly socketUrl: string;
  readonly dataDir: string;
  counts: Service["counts"];
  stop(): Promise<void>;
}

export interface ServiceOptions {
  /** Settings beside a free port; nothing is taken from the real environment. */
  readonly env?: Environment | undefined;
  /** A folder that outlives the service: to start another on the same log. */
  readonly dataDir?: string | undefined;
}

/** Starts the whole service on a free port of 127.0.0.1, on the embedded log unless `env` says otherwise. */
export async function runService({ env = {}, dataDir: given }: ServiceOptions = {}): Promise<RunningService> {
  const dataDir = given ?? (await mkdtemp(join(tmpdir(), "mandrill-live-")));
  const config = loadConfig({ PORT: "0", SHUTDOWN_SECONDS: "0", LOG_LEVEL: "silent", DATA_DIR: dataDir, ...env });
  let service: Service;
  try {
    service = await startService(config, createLogger({ level: config.telemetry.level, pretty: false }));
  } catch (error) {
    if (given === undefined) await rm(dataDir, { recursive: true, force: true });
    throw error;
  }
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopped ??= service.stop().then(async () => {
      if (given === undefined) await rm(dataDir, { recursive: true, force: true });
    });
    return stopped;
  };
  return {
    url: service.url,
    socketUrl: `${service.url.replace("http:", "ws:")}/graphql`,
    dataDir,
    counts: () => service.counts(),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
