import { fileURLToPath } from "node:url";
import type { Target } from "../load/command.ts";
import { WEBHOOK_KEY, WEBHOOK_URL } from "../load/sample-event.ts";
import { type Child, freePort, httpReady, startChild } from "./child.ts";
import { MEASURED_CORE } from "./machine.ts";
import { findNchan, startNchan } from "./nchan.ts";
import { temporaryFolder } from "./redis.ts";

/** Something that takes posts and tells subscribers, running on the core of what is measured. */
export interface Stack {
  readonly name: StackName;
  /** The process whose CPU and memory count. */
  readonly pid: number;
  readonly target: Target;
  stop(): Promise<void>;
}

export type StackName = "service" | "bare ws" | "documented stack" | "Nchan" | "bare http";

const SERVICE = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
/** As in package.json's `start`: decision 26. */
const START_FLAGS = ["--max-semi-space-size=16"];
const BARE_BROADCAST = new URL("../program/bare-broadcast.ts", import.meta.url);
const BARE_INGEST = new URL("../program/bare-ingest.ts", import.meta.url);
const DOCUMENTED_STACK = new URL("../program/documented-stack.ts", import.meta.url);

const GRAPHQL_TARGET = {
  host: "127.0.0.1",
  socketPath: "/graphql",
  postPath: "/mandrill",
  format: "mandrill",
  graphql: true,
  ownIds: true,
  readyString: "",
} as const satisfies Omit<Target, "port">;

export interface ServiceOptions {
  /** Where the log is: in this Redis, or in the SQLite file of this folder. */
  readonly log: { readonly redisUrl: string; readonly prefix: string } | { readonly folder: string };
  readonly settings?: Readonly<Record<string, string>> | undefined;
  /** Another `main.ts`: that of a changed copy of the sources. */
  readonly main?: string | undefined;
  /** Flags of Node. */
  readonly nodeFlags?: readonly string[] | undefined;
}

/** This service, as `npm start` runs it, with signatures checked. */
export async function startService({
  log,
  settings = {},
  main = SERVICE,
  nodeFlags = [],
}: ServiceOptions): Promise<Stack> {
  const port = await freePort();
  const child = startChild({
    core: MEASURED_CORE,
    command: process.execPath,
    args: [...START_FLAGS, ...nodeFlags, main],
    env: {
      PORT: String(port),
      LOG_LEVEL: "silent",
      SHUTDOWN_SECONDS: "0",
      NODE_ENV: "production",
      MANDRILL_WEBHOOK_URLS: WEBHOOK_URL,
      MANDRILL_WEBHOOK_KEYS: WEBHOOK_KEY,
      ...("folder" in log ? { DATA_DIR: log.folder } : { REDIS_URL: log.redisUrl, REDIS_PREFIX: log.prefix }),
      ...settings,
    },
  });
  return ready("service", child, { ...GRAPHQL_TARGET, port });
}

/** @param readyString a frame's text of the service: the same bytes */
export function startBareBroadcast(readyString: string, nodeFlags: readonly string[] = []): Promise<Stack> {
  return startProgram("bare ws", BARE_BROADCAST, { format: "lines", ownIds: false, readyString }, { nodeFlags });
}

export function startDocumentedStack(redisUrl: string, nodeFlags: readonly string[] = []): Promise<Stack> {
  return startProgram("documented stack", DOCUMENTED_STACK, {}, { env: { REDIS_URL: redisUrl }, nodeFlags });
}

export function startBareIngest(): Promise<Stack> {
  const env = { MANDRILL_WEBHOOK_URLS: WEBHOOK_URL, MANDRILL_WEBHOOK_KEYS: WEBHOOK_KEY };
  return startProgram("bare http", BARE_INGEST, {}, { env });
}

/** null where Nchan is not installed. */
export async function startNchanStack(readyString: string): Promise<Stack | null> {
  const found = findNchan();
  if (found === null) return null;
  const { child, workerPid, port } = await startNchan(found, temporaryFolder());
  return {
    name: "Nchan",
    pid: workerPid,
    target: {
      ...GRAPHQL_TARGET,
      port,
      socketPath: "/listen",
      postPath: "/publish",
      format: "publish",
      graphql: false,
      ownIds: false,
      readyString,
    },
    stop: () => child.stop(),
  };
}

async function startProgram(
  name: StackName,
  program: URL,
  target: Partial<Target>,
  { env = {}, nodeFlags = [] }: { readonly env?: Record<string, string>; readonly nodeFlags?: readonly string[] },
): Promise<Stack> {
  const port = await freePort();
  const child = startChild({
    core: MEASURED_CORE,
    command: process.execPath,
    args: [...nodeFlags, fileURLToPath(program)],
    env: { PORT: String(port), NODE_ENV: "production", ...env },
  });
  return ready(name, child, { ...GRAPHQL_TARGET, port, ...target });
}

async function ready(name: StackName, child: Child, target: Target): Promise<Stack> {
  await httpReady(target.port);
  return { name, pid: child.pid, target, stop: () => child.stop() };
}
