import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { freePort, portOpen, startChild } from "./child.ts";
import { LOAD_CORE, redisServer } from "./machine.ts";

/** A Redis of the bench's own, on the core of the load. */
export interface BenchRedis {
  readonly url: string;
  readonly pid: number;
  /** What its commands have taken since its start. */
  cost(): Promise<RedisCost>;
  /** Bytes that its data takes. */
  usedMemory(): Promise<number>;
  stop(): Promise<void>;
}

export interface RedisCost {
  /** Microseconds inside top-level commands; what scripts call is within their own. */
  readonly micros: number;
  /** Calls by command, those made by scripts included. */
  readonly calls: ReadonlyMap<string, number>;
}

/** Commands that run others, whose time is counted once more with those: theirs alone is the whole. */
const SCRIPTS = ["evalsha", "eval", "fcall", "evalsha_ro", "eval_ro", "fcall_ro"];

const folders = new Set<string>();
process.on("exit", () => {
  // Who writes there has been told to end, and may be about to.
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
});

/** A folder that is gone when the bench ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "mandrill-live-bench-"));
  folders.add(folder);
  return folder;
}

/**
 * Starts Redis with the persistence of docker-compose.yml: appended to a file that is synced every second. That file
 * is never rewritten here, since a rewrite would fall into one round and not into another.
 */
export async function startRedis(): Promise<BenchRedis> {
  const port = await freePort();
  const folder = temporaryFolder();
  const child = startChild({
    core: LOAD_CORE,
    command: redisServer(),
    args: [
      ...["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--save", ""],
      ...["--appendonly", "yes", "--appendfsync", "everysec", "--auto-aof-rewrite-percentage", "0"],
    ],
  });
  await portOpen(port);
  const client = new Redis(port, "127.0.0.1");
  return {
    url: `redis://127.0.0.1:${port}`,
    pid: child.pid,
    async cost() {
      const calls = new Map<string, number>();
      let script = 0;
      let all = 0;
      for (const [, command, count, micros] of (await client.info("commandstats")).matchAll(
        /^cmdstat_(\S+?):calls=(\d+),usec=(\d+)/gm,
      )) {
        calls.set(command as string, Number(count));
        all += Number(micros);
        if (SCRIPTS.includes(command as string)) script += Number(micros);
      }
      return { micros: script > 0 ? script : all, calls };
    },
    usedMemory: async () => Number(/^used_memory:(\d+)/m.exec(await client.info("memory"))?.[1]),
    async stop() {
      client.disconnect();
      await child.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
