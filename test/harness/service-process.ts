import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Environment } from "../../src/config.ts";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

/** As in package.json's `start`: decision 26. */
const FLAGS = ["--max-semi-space-size=16"];

/** The service as a process of its own: to be killed, paused and told to stop. */
export interface ServiceProcess extends AsyncDisposable {
  readonly url: string;
  readonly socketUrl: string;
  readonly pid: number;
  /** What it has printed so far, standard output and error together. */
  readonly printed: string;
  /** What it prints that matches, once it has. */
  match(pattern: RegExp): Promise<RegExpExecArray>;
  signal(signal: NodeJS.Signals): void;
  /** Resolves to the code or the signal by which it ended. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
}

export interface ServiceProcessOptions {
  readonly env?: Environment | undefined;
  /** A folder that outlives the process. */
  readonly dataDir?: string | undefined;
  /** Where it runs, and looks for `.env`. @default the system's folder for temporary files */
  readonly folder?: string | undefined;
  /** Another `main.ts`: that of a changed copy of the sources. */
  readonly main?: string | undefined;
  /** For Node, beside those of `npm start`. */
  readonly flags?: readonly string[] | undefined;
}

/** Starts `main.ts` on a free port; resolves when it says that it is ready, rejects when it ends first. */
export async function spawnService({
  env = {},
  dataDir: given,
  folder = tmpdir(),
  main = MAIN,
  flags = [],
}: ServiceProcessOptions = {}): Promise<ServiceProcess> {
  const dataDir = given ?? (await mkdtemp(join(tmpdir(), "mandrill-live-")));
  const child: ChildProcess = spawn(process.execPath, [...FLAGS, ...flags, main], {
    cwd: folder,
    env: { PORT: "0", LOG_LEVEL: "warn", DATA_DIR: dataDir, PATH: process.env.PATH, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  // A test that is broken off leaves nothing running.
  const killWithTests = (): void => void child.kill("SIGKILL");
  process.once("exit", killWithTests);
  child.once("exit", () => process.off("exit", killWithTests));
  let printed = "";
  const waiters = new Set<() => void>();
  const ended = (async () => {
    const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
    if (given === undefined) await rm(dataDir, { recursive: true, force: true });
    return signal ?? code;
  })();
  const url = await new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      printed += String(chunk);
      const ready = /GraphiQL\s+(http:\S+)\/graphql/.exec(printed);
      if (ready !== null) resolve(ready[1] as string);
      for (const look of waiters) look();
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    void ended.then((end) => reject(new Error(`the service ended with ${end}:\n${printed}`)));
  });
  return {
    url,
    socketUrl: `${url.replace("http:", "ws:")}/graphql`,
    pid: child.pid as number,
    get printed() {
      return printed;
    },
    match(pattern) {
      return new Promise((resolve, reject) => {
        const look = (): void => {
          const found = pattern.exec(printed);
          if (found === null) return;
          waiters.delete(look);
          resolve(found);
        };
        waiters.add(look);
        look();
        void ended.then((end) => reject(new Error(`the service ended with ${end}:\n${printed}`)));
      });
    },
    signal: (signal) => child.kill(signal),
    ended,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
