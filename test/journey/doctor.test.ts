import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Environment } from "../../src/config.ts";
import { runCommandLine } from "../harness/command.ts";
import { post, rawEvents, signedForm } from "../harness/mandrill-post.ts";
import { startRedisCluster } from "../harness/redis-cluster.ts";
import { type RedisServer, startRedisReplica, startRedisServer } from "../harness/redis-server.ts";
import { type RunningService, runService } from "../harness/service.ts";
import { connectSocket } from "../harness/socket-client.ts";
import { JWT_SECRET } from "../harness/tokens.ts";

const KEY = "the-webhook-key";
const TOKEN = "a-token-that-nobody-guesses";
const DURABLE = { appendonly: "yes", appendfsync: "always" };

/** What the doctor found, by what it looked at: `ok`, `fail` and so on, and then the words. */
interface Examination {
  readonly code: number | null;
  readonly printed: string;
  of(what: string): string;
}

async function examine(env: Environment, ...args: readonly string[]): Promise<Examination> {
  const { code, stdout, stderr } = await runCommandLine("doctor", args, { env });
  // What ioredis says by itself where its user may not call INFO.
  expect(stderr.replaceAll(/^Skipping the ready check because INFO.*\n/gm, "")).toBe("");
  const lines = stdout.split("\n").map((line) => [line.slice(0, 4).trim(), line.slice(6, 28).trim(), line.slice(30)]);
  return {
    code,
    printed: stdout,
    of(what) {
      const [state, , said] = lines.find(([, name]) => name === what) ?? [];
      return `${state} ${said}`;
    },
  };
}

async function startRedis(config: Readonly<Record<string, string>>): Promise<RedisServer> {
  const redis = await startRedisServer({ config });
  onTestFinished(() => redis.stop());
  return redis;
}

async function startService(env: Environment): Promise<RunningService> {
  const service = await runService({ env });
  onTestFinished(() => service.stop());
  return service;
}

const portOf = ({ url }: RunningService) => new URL(url).port;

/** Settings under which a webhook's URL is that of the service itself, once its port is known. */
function signedSettings(port: string): Environment {
  return { PORT: port, MANDRILL_WEBHOOK_URLS: `http://127.0.0.1:${port}/mandrill`, MANDRILL_WEBHOOK_KEYS: KEY };
}

/** A service on a durable Redis, with a key and a token, and the settings that it was started with. */
async function startSoundService(): Promise<{ readonly service: RunningService; readonly env: Environment }> {
  const redis = await startRedis(DURABLE);
  const free = await startService({ REDIS_URL: redis.url, REDIS_PREFIX: "port" });
  const port = portOf(free);
  await free.stop();
  const env = { ...signedSettings(port), ACCESS_TOKENS: TOKEN, REDIS_URL: redis.url };
  return { service: await startService(env), env };
}

/** A folder for a log, which goes with the test. */
async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "mandrill-live-doctor-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A port that nobody listens on. */
async function unusedPort(): Promise<string> {
  const service = await startService({});
  await service.stop();
  return portOf(service);
}

describe("npm run doctor on a sound set-up", () => {
  it("finds all in order without writing an event, and tells neither secret nor address", async () => {
    const { service, env } = await startSoundService();
    const webhook = { url: env.MANDRILL_WEBHOOK_URLS as string, key: KEY };
    expect((await post(service.url, signedForm(rawEvents(3), webhook))).status).toBe(200);
    await using client = await connectSocket(service.socketUrl, { init: { authorization: `Bearer ${TOKEN}` } });
    const { code, printed, of } = await examine(env);
    expect(printed).not.toMatch(/^(?:fail|skip)/m);
    expect(code).toBe(0);
    expect(printed).toContain("All is well.");
    expect(of("event log")).toBe("ok Redis takes writes.");
    expect(of("Redis persistence")).toBe("ok appendonly yes, appendfsync always.");
    expect(of("clock")).toMatch(/^ok /);
    expect(of("webhook URL")).toMatch(/^ok /);
    expect(of("signed batch")).toMatch(/^ok Taken, under 1 key and 1 URL/);
    expect(of("wrongly signed batch")).toBe("ok Refused.");
    expect(of("subscription")).toMatch(/^ok It receives: the newest event/);
    for (const secret of [KEY, TOKEN, "127.0.0.1", "@", "example.com"]) expect(printed).not.toContain(secret);
    client.subscribe("a", "{ recentEvents { nodes { id } } }");
    expect((await client.next("a")).payload.data.recentEvents.nodes).toHaveLength(3);
  });

  it("posts one marked event with --post, and sees it arrive", async () => {
    const { service, env } = await startSoundService();
    await using client = await connectSocket(service.socketUrl, { init: { authorization: `Bearer ${TOKEN}` } });
    client.subscribe("a", "subscription { eventReceived { type name } }");
    const { code, of } = await examine(env, "--post");
    expect([code, of("subscription")]).toEqual([
      0,
      expect.stringMatching(/^ok It receives: a posted event came within/),
    ]);
    expect((await client.next("a")).payload.data.eventReceived).toEqual({
      type: "other",
      name: "mandrill_live_doctor",
    });
  });

  it("signs a token of its own where JWT_SECRET is all there is, and takes what --token gives", async () => {
    const env = { JWT_SECRET, JWT_ISSUER: "https://issuer.example.com", JWT_AUDIENCE: "live" };
    const service = await startService(env);
    const set = { ...env, PORT: portOf(service), DATA_DIR: service.dataDir };
    expect((await examine(set)).of("subscription")).toMatch(/^ok It stands/);
    const refused = await examine(set, "--token", "nobodys");
    expect([refused.code, refused.of("subscription")]).toEqual([
      1,
      expect.stringMatching(/^fail .*(?:4401|4403|UNAUTHENTICATED)/),
    ]);
    expect(refused.printed).not.toContain("nobodys");
  });
});

describe("npm run doctor finds of Redis", () => {
  const down = async (redis: RedisServer, env: Environment = {}) =>
    examine({ REDIS_URL: redis.url, PORT: await unusedPort(), ...env });

  it.each([
    ["allkeys-lru", "deletes keys of the log"],
    ["volatile-ttl", "revoked tokens back"],
  ])("the eviction policy %s", async (policy, harm) => {
    const { code, of } = await down(await startRedis({ ...DURABLE, "maxmemory-policy": policy }));
    expect(of("Redis eviction")).toMatch(
      new RegExp(`^fail maxmemory-policy ${policy} .*${harm}.*Set maxmemory-policy noeviction`),
    );
    expect(code).toBe(1);
  });

  it("that nothing is kept, or snapshots alone, or what the kernel pleases", async () => {
    const redis = await startRedis({});
    expect((await down(redis)).of("Redis persistence")).toMatch(/^fail There is none.*Set appendonly yes/);
    await redis.client.config("SET", "save", "60 1");
    expect((await down(redis)).of("Redis persistence")).toMatch(/^fail appendonly no, and snapshots alone/);
    await redis.client.config("SET", "appendonly", "yes", "appendfsync", "no");
    expect((await down(redis)).of("Redis persistence")).toMatch(/^fail appendfsync no/);
  });

  it("a replica, which takes no writes", async () => {
    const master = await startRedis(DURABLE);
    const replica = await startRedisReplica(master, { config: DURABLE });
    onTestFinished(() => replica.stop());
    const { of } = await down(replica);
    expect(of("event log")).toMatch(/^fail Redis: .*READONLY/);
    expect(of("Redis role")).toMatch(/^fail It is a replica/);
    expect((await down(master)).of("Redis replicas")).toMatch(/^note 1 online/);
    const short = await down(master, { REDIS_MIN_REPLICAS: "2" });
    expect(short.of("Redis replicas")).toMatch(/^fail 1 online, and REDIS_MIN_REPLICAS is 2/);
    expect(short.of("event log")).toMatch(/^fail Redis: .*REDIS_MIN_REPLICAS is 2/);
  });

  it("a log that this version cannot use", async () => {
    const redis = await startRedis(DURABLE);
    expect((await down(redis)).of("Redis log")).toMatch(/^ok There is none yet/);
    await redis.client.hset("{mandrill-live}:meta", { layout: "3", oldest: "1", number: "3" });
    expect((await down(redis)).of("Redis log")).toMatch(/^fail It has layout 3.*Start the version that wrote it/);
    await redis.client.hset("{mandrill-live}:meta", { layout: "moving" });
    expect((await down(redis)).of("Redis log")).toMatch(/^fail It has layout moving.*npm run move/);
    expect((await down(redis)).printed).not.toMatch(/event log/);
    await redis.client.hset("{mandrill-live}:meta", { layout: "1" });
    const former = await down(redis);
    expect(former.of("Redis log")).toMatch(
      /^note Layout 1, 3 entries: .*npm run convert once every instance is of this/,
    );
    expect(former.of("event log")).toBe("ok Redis takes writes.");
    await redis.client.hset("{mandrill-live}:meta", { layout: "2" });
    expect((await down(redis)).of("Redis log")).toBe("ok Layout 2, 3 entries.");
    await redis.client.rpush("{mandrill-live}:former-terms", "[1,1,1,[]]");
    expect((await down(redis)).of("Redis log")).toMatch(/^note Layout 2, 3 entries: a conversion was cut off/);
  });

  it("little memory left", async () => {
    const redis = await startRedis(DURABLE);
    await redis.client.config("SET", "maxmemory", "1100000");
    expect((await down(redis)).of("Redis memory")).toMatch(/^fail .*Raise maxmemory/);
  });

  it("what its user may not ask, and says so", async () => {
    const redis = await startRedis(DURABLE);
    const password = randomUUID();
    await redis.client.acl("SETUSER", "limited", "on", `>${password}`, "~*", "&*", "+@all", "-config");
    const url = `redis://limited:${password}@127.0.0.1:${redis.port}`;
    const { printed, of } = await down(redis, { REDIS_URL: url });
    expect(of("Redis CONFIG")).toMatch(/^note It could not be read: .*NOPERM/);
    expect(of("Redis persistence")).toMatch(/^note appendonly yes/);
    expect(of("Redis eviction")).toMatch(/^ok /);
    expect(printed).not.toContain(password);
    await redis.client.acl("SETUSER", "limited", "-info");
    expect((await down(redis, { REDIS_URL: url })).of("Redis settings")).toMatch(
      /^note They could not be read: .*NOPERM/,
    );
  });

  it("the same of a cluster, on every master", async () => {
    const cluster = await startRedisCluster();
    onTestFinished(() => cluster.stop());
    const nodes = cluster.nodes.map(({ port }) => `127.0.0.1:${port}`).join(",");
    const { of } = await examine({ REDIS_CLUSTER: nodes, PORT: await unusedPort() });
    expect(of("event log")).toBe("ok Redis takes writes.");
    expect(of("Redis eviction")).toBe("ok maxmemory-policy noeviction.");
    expect(of("Redis persistence")).toMatch(/^fail There is none/);
    expect(of("clock")).toMatch(/^ok /);
  });

  it("that it is not there", async () => {
    const redis = await startRedis({});
    await redis.kill();
    const { code, of } = await down(redis);
    expect([code, of("event log")]).toEqual([1, expect.stringMatching(/^fail Redis: .*cannot be reached/)]);
    expect(of("service")).toMatch(/^fail It does not answer: ECONNREFUSED\. Start it/);
    expect(of("signed batch")).toMatch(/^skip/);
  });
});

describe("npm run doctor on the embedded log", () => {
  it("asks the running service, and looks for itself where none runs", async () => {
    const dataDir = await newFolder();
    const port = await unusedPort();
    const env = { DATA_DIR: dataDir, PORT: port };
    const before = await examine(env);
    expect([before.code, before.of("event log")]).toEqual([
      1,
      expect.stringMatching(/^ok SQLite: there is no file yet/),
    ]);
    const service = await runService({ env, dataDir });
    onTestFinished(() => service.stop());
    const up = await examine(env);
    expect([up.code, up.of("event log")]).toEqual([
      0,
      expect.stringMatching(/^ok SQLite: held by the running service/),
    ]);
    expect(up.of("disk")).toMatch(/^ok [\d.]+ GiB free/);
    expect(up.of("unsigned batch")).toMatch(/^note Taken/);
    await service.stop();
    const down = await examine(env);
    expect([down.code, down.of("event log")]).toEqual([1, "ok SQLite takes writes."]);
    expect(down.of("service")).toMatch(/^fail It does not answer/);
  });

  it("tells where the service that has the file is another than the one that it was pointed at", async () => {
    const service = await startService({});
    const { of } = await examine({ DATA_DIR: service.dataDir, PORT: await unusedPort() });
    expect(of("event log")).toMatch(/^fail SQLite: held by a running service, and it does not answer on its port/);
  });
});

describe("npm run doctor finds of the webhook", () => {
  it("that the service was started with another key, or with none", async () => {
    const service = await startService({ ...signedSettings("0"), PORT: "0" });
    const env = { ...signedSettings("0"), PORT: portOf(service), DATA_DIR: service.dataDir };
    const wrong = await examine({ ...env, MANDRILL_WEBHOOK_KEYS: "another-key" });
    expect([wrong.code, wrong.of("signed batch")]).toEqual([
      1,
      expect.stringMatching(/^fail Not taken \(401 SIGNATURE_MISMATCH\).*start it again/),
    ]);
    expect(wrong.of("webhook URL")).toMatch(/^fail It is not reached from here/);
    const open = await startService({});
    const none = await examine({ ...env, PORT: portOf(open), DATA_DIR: open.dataDir });
    expect(none.of("wrongly signed batch")).toMatch(/^fail Not refused with 401, but answered 200/);
  });

  it("that a URL leads elsewhere", async () => {
    const service = await startService({});
    const { of } = await examine({
      PORT: portOf(service),
      DATA_DIR: service.dataDir,
      MANDRILL_WEBHOOK_URLS: `${service.url}/elsewhere,${service.url}/mandrill`,
    });
    expect(of("webhook URL 1")).toMatch(/^fail HEAD is answered 404, not 200/);
    expect(of("webhook URL 2")).toMatch(/^ok /);
  });
});

describe("npm run doctor finds of the configuration", () => {
  it("every setting that cannot be used, a line each, and goes no further", async () => {
    const { code, printed } = await examine({
      PORT: "many",
      REDIS_URL: "redis://:sesame@",
      WORKERS: "0",
      RETENTION_DAY: "1",
    });
    expect(code).toBe(1);
    expect(printed.match(/^fail {2}configuration/gm)).toHaveLength(3);
    expect(printed).toMatch(/^note {2}configuration .*RETENTION_DAYS meant/m);
    expect(printed).not.toContain("sesame");
    expect(printed).toContain("3 to mend.");
  });
});
