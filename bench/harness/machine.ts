import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { cpus, release } from "node:os";

/** The core of whatever is measured. */
export const MEASURED_CORE = 0;
/** The core of the load client and of Redis. */
export const LOAD_CORE = 1;

/** File descriptors that a process with 5,000 sockets needs. */
const FILES_NEEDED = 5_500;

/** Keeps this process off the core of what is measured; throws the sentence that says why nothing can be measured here. */
export function prepareMachine(): void {
  if (!existsSync("/proc/self/stat"))
    throw new Error("The bench reads CPU and memory from /proc: it runs on Linux only.");
  if (spawnSync("taskset", ["--version"]).status !== 0) {
    throw new Error("The bench needs taskset to pin processes (on Debian or Ubuntu: apt-get install util-linux).");
  }
  if (cpus().length < 2) {
    throw new Error("The bench needs two cores: one for what is measured, one for the load.");
  }
  const files = openFilesLimit();
  if (files < FILES_NEEDED) {
    throw new Error(
      `A process may have ${files} files open here, and 5,000 sockets need ${FILES_NEEDED}: raise it with ulimit -n ${FILES_NEEDED}.`,
    );
  }
  execFileSync("taskset", ["--cpu-list", "--pid", String(LOAD_CORE), String(process.pid)]);
}

/** Node raises its soft limit to the hard one when it starts. */
function openFilesLimit(): number {
  const [, hard] = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
  return hard === "unlimited" ? Number.POSITIVE_INFINITY : Number(hard);
}

/** redis-server's program: REDIS_SERVER where it is set, as for the tests. */
export function redisServer(): string {
  return process.env.REDIS_SERVER || "redis-server";
}

/** What figures of one machine must be read with. */
export function describeMachine(): string {
  const [cpu] = cpus();
  const model = cpu?.model.trim() || "unknown processor";
  return `${cpus().length} cores (${model}), Linux ${release()}, Node ${process.versions.node}, Redis ${redisVersion()}`;
}

function redisVersion(): string {
  try {
    return /v=(\S+)/.exec(execFileSync(redisServer(), ["--version"], { encoding: "utf8" }))?.[1] ?? "?";
  } catch (error) {
    throw new Error(`${redisServer()} cannot be run: install Redis, or let REDIS_SERVER name it.`, { cause: error });
  }
}
