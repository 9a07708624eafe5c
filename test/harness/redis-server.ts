import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Redis } from "ioredis";
import type { Certificate } from "./certificate.ts";

/** A real Redis of one's own, on a free port of 127.0.0.1. */
export interface RedisServer {
  readonly port: number;
  /** A second one, for TLS alone, if there is a certificate; else 0. */
  readonly tlsPort: number;
  /** With the password, if `requirepass` is set. */
  readonly url: string;
  /** Connected to it; closed by {@link stop}. */
  readonly client: Redis;
  /** Stops the process where it stands: connections are taken, and nothing is answered. */
  pause(): void;
  resume(): void;
  /** Ends the process at once, as a crash does. */
  kill(): Promise<void>;
  /** Starts it again on the same port and folder, after ending it if need be. */
  restart(): Promise<void>;
  /** Ends it, if it is still there, and removes its folder. */
  stop(): Promise<void>;
}

export interface RedisServerOptions {
  /** Directives of redis.conf by their names. Without them nothing is kept on disk. */
  readonly config?: Readonly<Record<string, string>> | undefined;
  /** What it shows whoever speaks TLS to it. */
  readonly certificate?: Certificate | undefined;
}

/** A cluster's second port lies this far above the first. */
const CLUSTER_BUS = 10_000;
const LAST_PORT = 65_535;
/** Another process may take a free port before Redis does. */
const ATTEMPTS = 5;

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

export async function startRedisServer({
  config: given = {},
  certificate,
}: RedisServerOptions = {}): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), "mandrill-live-redis-"));
  const removeFolder = () => rm(folder, { recursive: true, force: true });
  let port = 0;
  let tlsPort = 0;
  let config = given;
  let child: ChildProcess | null = null;
  for (let attempt = 1; child === null; attempt++) {
    port = await freePort();
    if (certificate !== undefined) {
      tlsPort = await freePort();
      config = { "tls-port": `${tlsPort}`, ...tlsDirectives(certificate), ...given };
    }
    try {
      child = await launchServer(folder, port, config);
    } catch (error) {
      if (attempt < ATTEMPTS && String(error).includes("Address already in use")) continue;
      await removeFolder();
      throw error;
    }
  }
  const { requirepass: password } = config;
  const url = `redis://${password === undefined ? "" : `:${encodeURIComponent(password)}@`}127.0.0.1:${port}`;
  const client = new Redis(url, { retryStrategy: () => 20, maxRetriesPerRequest: null });
  client.on("error", () => {});

  async function kill(): Promise<void> {
    if (child === null) return;
    // It may have ended by itself: a terminal sends its signal to all.
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    }
    child = null;
  }

  return {
    port,
    tlsPort,
    url,
    client,
    pause: () => void child?.kill("SIGSTOP"),
    resume: () => void child?.kill("SIGCONT"),
    kill,
    async restart() {
      await kill();
      child = await launchServer(folder, port, config);
    },
    async stop() {
      client.disconnect();
      await kill();
      await removeFolder();
    },
  };
}

/** A sentinel that watches one master, and alone decides that it is down. */
export interface RedisSentinel {
  readonly port: number;
  /** As with {@link RedisServer.tlsPort}. */
  readonly tlsPort: number;
  /** Resolves when the sentinel knows of a replica that can take over. */
  untilReplicaKnown(): Promise<void>;
  /** From now on it takes its master for alive, whatever it hears of it: only {@link failOver} promotes. */
  trustMaster(): Promise<void>;
  /** Resolves when the replica has been promoted. */
  failOver(): Promise<void>;
  stop(): Promise<void>;
}

/** A Redis that follows `master`; resolves when it has what the master has. */
export async function startRedisReplica(master: RedisServer, options: RedisServerOptions = {}): Promise<RedisServer> {
  const replica = await startRedisServer(options);
  await replica.client.replicaof("127.0.0.1", master.port);
  await untilReplicated(master);
  return replica;
}

/** Resolves when a replica has what the master now has. The key must be one that the master keeps. */
export async function untilReplicated({ client }: RedisServer, key = "replicated"): Promise<void> {
  // WAIT is for the writes of its own connection, and for what came before them.
  await client.set(key, "");
  await client.wait(1, 0);
}

/** Replicas that log in as this user can be kept from their master: see {@link cutReplication}. */
export const REPLICA_LOGIN = { masteruser: "replica", masterauth: "replicate" } as const;

/** Resolves when the server has become that. */
export async function untilRole({ client }: RedisServer, role: "master" | "slave"): Promise<void> {
  while (((await client.role()) as unknown[])[0] !== role);
}

/** Lets replicas log in. */
export async function allowReplication({ client }: RedisServer): Promise<void> {
  await client.acl("SETUSER", REPLICA_LOGIN.masteruser, "on", `>${REPLICA_LOGIN.masterauth}`, "+@all");
}

/**
 * Holds back every write; resolves when a replica has all that was written before, of which it tells once a second.
 * What is asked for meanwhile waits, and is lost with the master. So does what a sentinel publishes, and its pings
 * behind that: one that does not trust its master promotes the replica before this resolves, which then never does.
 */
export async function holdWrites({ client }: RedisServer): Promise<void> {
  await client.client("PAUSE", 60_000, "WRITE");
  for (;;) {
    const info = await client.info("replication");
    const [, offset] = /master_repl_offset:(\d+)/.exec(info) ?? [];
    if (info.includes(`state=online,offset=${offset},`)) return;
  }
}

/**
 * Ends the replication, for good: what is written from now on only the master has. A sentinel that does not trust its
 * master promotes no replica that was cut off for long before the master's end.
 */
export async function cutReplication({ client }: RedisServer): Promise<void> {
  await client.acl("SETUSER", REPLICA_LOGIN.masteruser, "off");
  await client.call("CLIENT", "KILL", "TYPE", "replica");
}

/** Milliseconds of silence after which a sentinel takes its master for down; and where it is to trust its master. */
const DOWN_AFTER = 300;
const NEVER_DOWN_AFTER = 3_600_000;

/** @param certificate for whoever speaks TLS to it; the sentinel itself then does so to its master */
export async function startRedisSentinel(
  name: string,
  master: RedisServer,
  certificate?: Certificate,
): Promise<RedisSentinel> {
  const folder = await mkdtemp(join(tmpdir(), "mandrill-live-sentinel-"));
  const file = join(folder, "sentinel.conf");
  const port = await freePort();
  const tlsPort = certificate === undefined ? 0 : await freePort();
  const tls = certificate === undefined ? {} : { "tls-port": `${tlsPort}`, ...tlsDirectives(certificate) };
  const lines = [
    `port ${port}`,
    "bind 127.0.0.1",
    `dir ${folder}`,
    ...Object.entries(tls).map(([directive, value]) => `${directive} ${value}`),
    `sentinel monitor ${name} 127.0.0.1 ${master.tlsPort || master.port} 1`,
    `sentinel down-after-milliseconds ${name} ${DOWN_AFTER}`,
    `sentinel failover-timeout ${name} 1000`,
  ];
  await writeFile(file, lines.join("\n"));
  const child = await launch([file, "--sentinel"], "Sentinel ID is");
  const client = new Redis({ port, host: "127.0.0.1", retryStrategy: () => 20, maxRetriesPerRequest: null });
  client.on("error", () => {});
  // It makes a replica of an old master four of these periods after that has come back. Milliseconds.
  await client.call("SENTINEL", "DEBUG", "PUBLISH-PERIOD", "250", "INFO-PERIOD", "500");
  return {
    port,
    tlsPort,
    async untilReplicaKnown() {
      for (;;) {
        const replicas = (await client.call("SENTINEL", "REPLICAS", name)) as string[][];
        const [fields = []] = replicas;
        if (fields[fields.indexOf("master-link-status") + 1] === "ok") return;
      }
    },
    async trustMaster() {
      await client.call("SENTINEL", "SET", name, "down-after-milliseconds", `${NEVER_DOWN_AFTER}`);
    },
    async failOver() {
      const address = async () => String(await client.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", name));
      const before = await address();
      // It may know too little of the replica, and gives up on one that takes its time.
      while ((await address()) === before) {
        await client.call("SENTINEL", "FAILOVER", name).catch((error: Error) => {
          if (!/^(?:NOGOODSLAVE|INPROG) /.test(error.message)) throw error;
        });
      }
    },
    async stop() {
      client.disconnect();
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Whoever speaks TLS is shown the certificate and asked for none; Redis' own kind is asked for this very one. */
function tlsDirectives({ file, keyFile }: Certificate): Readonly<Record<string, string>> {
  return {
    "tls-cert-file": file,
    "tls-key-file": keyFile,
    "tls-ca-cert-file": file,
    "tls-auth-clients": "no",
    "tls-replication": "yes",
    "tls-cluster": "yes",
  };
}

/** Starts a server; resolves when it takes connections. */
function launchServer(folder: string, port: number, config: Readonly<Record<string, string>>): Promise<ChildProcess> {
  const directives = {
    port: `${port}`,
    bind: "127.0.0.1",
    dir: folder,
    save: "",
    appendonly: "no",
    // A replica need not wait for others that may want the same copy.
    "repl-diskless-sync-delay": "0",
    ...config,
  };
  const args = Object.entries(directives).flatMap(([name, value]) => [`--${name}`, value]);
  return launch(args, "Ready to accept connections");
}

/** Resolves when Redis prints `sign`; rejects with what it printed if it ends before. */
async function launch(args: readonly string[], sign: string): Promise<ChildProcess> {
  const child = spawn(process.env.REDIS_SERVER || "redis-server", args, { stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  child.once("exit", () => running.delete(child));
  const printed: string[] = [];
  child.stderr.on("data", (text) => printed.push(String(text)));
  const failed = Promise.race([
    once(child, "exit").then(() => "it ended"),
    once(child, "error").then(([error]) => String(error)),
  ]).then((reason) => {
    throw new Error(`redis-server did not start: ${reason}\n${printed.join("\n")}`);
  });
  const ready = new Promise<void>((resolve) => {
    createInterface(child.stdout).on("line", (line) => {
      printed.push(line);
      if (line.includes(sign)) resolve();
    });
  });
  failed.catch(() => {});
  await Promise.race([ready, failed]);
  return child;
}

/** A port that was free a moment ago, with room above it for a cluster's second one. */
async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    server.close();
    await once(server, "close");
    if (port + CLUSTER_BUS <= LAST_PORT) return port;
  }
}
