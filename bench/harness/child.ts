import { type ChildProcess, spawn } from "node:child_process";
import type { AddressInfo } from "node:net";
import { connect, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const READY_WITHIN = 30_000;
const STOP_WITHIN = 15_000;
const STDERR_KEPT = 4_000;

/** A process that this bench has started, and that ends with it. */
export interface Child {
  readonly pid: number;
  readonly process: ChildProcess;
  /** Ends it by SIGTERM, and by SIGKILL where it does not listen. */
  stop(): Promise<void>;
}

export interface ChildOptions {
  readonly core: number;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly ipc?: boolean | undefined;
}

const running = new Set<ChildProcess>();
process.on("exit", () => {
  // SIGTERM, since nginx's worker would outlive a master that is killed.
  for (const child of running) child.kill("SIGTERM");
});

/** Starts a process on one core. taskset becomes the program itself, so the pid is the program's. */
export function startChild({ core, command, args, env = {}, ipc = false }: ChildOptions): Child {
  const child = spawn("taskset", ["--cpu-list", String(core), command, ...args], {
    env: { PATH: process.env.PATH ?? "", ...env },
    stdio: ["ignore", "ignore", "pipe", ...(ipc ? (["ipc"] as const) : [])],
    // JSON would make null of Infinity.
    serialization: "advanced",
  });
  running.add(child);
  let stderr = "";
  child.stderr?.on("data", (text) => {
    stderr = (stderr + text).slice(-STDERR_KEPT);
  });
  let stopping = false;
  const exited = new Promise<void>((resolve) => {
    child.once("exit", (code, signal) => {
      running.delete(child);
      resolve();
      if (stopping) return;
      // Nothing that is measured may be missing: there is no figure worth going on for.
      console.error(`\n${command} ${args.join(" ")} ended by itself (${signal ?? code}).\n${stderr}`);
      process.exit(1);
    });
  });
  if (child.pid === undefined) throw new Error(`${command} could not be started`);
  return {
    pid: child.pid,
    process: child,
    async stop() {
      stopping = true;
      child.kill("SIGTERM");
      const late = new AbortController();
      await Promise.race([
        exited,
        sleep(STOP_WITHIN, undefined, { signal: late.signal }).then(
          () => child.kill("SIGKILL"),
          () => {},
        ),
      ]);
      late.abort();
      await exited;
    },
  };
}

/** A TCP port that nobody listens on just now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/** Resolves when `GET /ready` is answered 200. */
export async function httpReady(port: number): Promise<void> {
  await until(`http://127.0.0.1:${port}/ready`, async () => {
    const response = await fetch(`http://127.0.0.1:${port}/ready`);
    await response.text();
    return response.status === 200;
  });
}

/** Resolves when something accepts connections there. */
export async function portOpen(port: number): Promise<void> {
  await until(`port ${port}`, () => {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: "127.0.0.1", port });
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.destroy();
        resolve(true);
      });
    });
  });
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (const begun = performance.now(); performance.now() - begun < READY_WITHIN; await sleep(20)) {
    if (await isSo().catch(() => false)) return;
  }
  throw new Error(`${what} was not ready within ${READY_WITHIN / 1_000} s`);
}
