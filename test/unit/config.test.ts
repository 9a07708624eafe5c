import { describe, expect, it } from "vitest";
import { ConfigError, type Environment, loadConfig } from "../../src/config.ts";
import { SETTINGS, type SettingName } from "../../src/setting.ts";

/** The sentences of the one error that `env` is refused with. */
function problemsOf(env: Environment): readonly string[] {
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

const KEYED = { MANDRILL_WEBHOOK_URLS: "https://example.com/mandrill", MANDRILL_WEBHOOK_KEYS: "first, second" };

const HTTP_LIMITS = {
  headersMs: 15_000,
  requestMs: 300_000,
  bodyIdleMs: 30_000,
  allowedOrigins: [],
  trustedProxies: [],
};

const DOCUMENTS = {
  maxLength: 10_000,
  maxTokens: 1_000,
  maxDepth: 20,
  maxAliases: 30,
  maxDirectives: 50,
  maxCost: 100_000,
  maxFirst: 500,
  introspection: true,
  persistedFile: undefined,
};

const SOCKET_LIMITS = {
  initMs: 3_000,
  authenticationMs: 10_000,
  maxMessageBytes: 65_536,
  maxOperations: 100,
  maxOperationIdLength: 128,
  maxMessagesPerMinute: 1_200,
  maxOnLoopback: 10_000,
  maxPerAddress: 100,
  maxPerToken: 10_000,
};

describe("loadConfig", () => {
  it("needs no variable at all", () => {
    expect(loadConfig({})).toEqual({
      production: false,
      http: { host: "127.0.0.1", port: 4000, basePath: "", ...HTTP_LIMITS },
      webhook: { urls: [], keys: [], maxBodyBytes: 32 * 1024 * 1024 },
      access: null,
      eventLog: { kind: "sqlite", dataDir: "./data" },
      limits: {
        retentionEvents: 100_000,
        retentionMs: 30 * 86_400_000,
        deduplicationMs: 7 * 86_400_000,
        deduplicationEvents: 1_000_000,
      },
      feed: { recentEntries: 10_000, maxReplays: 32 },
      documents: DOCUMENTS,
      graphiql: true,
      socket: { maxBufferedBytes: 1024 * 1024, stallMs: 30_000, pingMs: 25_000, ...SOCKET_LIMITS },
      shutdownMs: 10_000,
      telemetry: { level: "info", metricsPort: null, tracing: null },
      workers: 1,
      warnings: [],
    });
  });

  it("takes every variable", () => {
    const config = loadConfig({
      PORT: "0",
      BASE_PATH: "/mail",
      HOST: "[::1]",
      ...KEYED,
      MAX_BODY_BYTES: "64KiB",
      REDIS_URL: "rediss://user:word@example.com:6380/2",
      REDIS_PREFIX: "mail:live",
      REDIS_MIN_REPLICAS: "2",
      RETENTION_EVENTS: "5",
      RETENTION_DAYS: "0.5",
      DEDUPLICATION_DAYS: ".25",
      DEDUPLICATION_EVENTS: "6",
      RECENT_ENTRIES: "7",
      MAX_BUFFERED_BYTES: "4096",
      STALL_SECONDS: "0.2",
      SHUTDOWN_SECONDS: "0",
      LOG_LEVEL: "WARN",
      NODE_ENV: "production",
    });
    expect(config).toEqual({
      production: true,
      http: { host: "::1", port: 0, basePath: "/mail", ...HTTP_LIMITS },
      webhook: { urls: ["https://example.com/mandrill"], keys: ["first", "second"], maxBodyBytes: 65_536 },
      access: null,
      eventLog: {
        kind: "redis",
        connection: { kind: "standalone", url: "rediss://user:word@example.com:6380/2" },
        prefix: "mail:live",
        minReplicas: 2,
      },
      limits: { retentionEvents: 5, retentionMs: 43_200_000, deduplicationMs: 21_600_000, deduplicationEvents: 6 },
      feed: { recentEntries: 7, maxReplays: 32 },
      documents: { ...DOCUMENTS, introspection: false },
      graphiql: false,
      socket: { maxBufferedBytes: 4096, stallMs: 200, pingMs: 25_000, ...SOCKET_LIMITS },
      shutdownMs: 0,
      telemetry: { level: "warn", metricsPort: null, tracing: null },
      workers: 1,
      warnings: [],
    });
  });

  it("is frozen through and through", () => {
    const config = loadConfig(KEYED);
    for (const part of [config, config.http, config.webhook.keys, config.eventLog, config.limits, config.warnings]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });

  it("takes an empty or blank variable as one that is not set", () => {
    const blank = Object.fromEntries(
      ["PORT", "MANDRILL_WEBHOOK_KEYS", "REDIS_URL", "LOG_LEVEL"].map((name) => [name, " "]),
    );
    expect(loadConfig({ ...blank, HOST: "" })).toEqual(loadConfig({}));
  });

  it("keeps a webhook's URL exactly as it was typed", () => {
    const urls = "HTTPS://user:word@Example.com:443/mandrill/?a=%2f, http://example.com";
    expect(loadConfig({ MANDRILL_WEBHOOK_URLS: urls }).webhook.urls).toEqual(urls.split(", "));
  });

  it("names every bad variable in one error", () => {
    const problems = problemsOf({ PORT: "70000", LOG_LEVEL: "loud", MAX_BODY_BYTES: "32 MB", RETENTION_DAYS: "-1" });
    expect(problems).toEqual([
      'PORT is "70000"; allowed: a whole number from 0 to 65535.',
      'MAX_BODY_BYTES is "32 MB"; allowed: bytes, from 1 to 512 MiB, such as 1048576 or 1 MiB.',
      'RETENTION_DAYS is "-1"; allowed: more than 0 and up to 36500 days, fractions included.',
      'LOG_LEVEL is "loud"; allowed: silent, fatal, error, warn, info, debug, trace.',
    ]);
  });

  it("names every setting that can be bad, all at once", () => {
    const bad: Partial<Record<SettingName, string>> = {
      BASE_PATH: "mail",
      JWT_ISSUER: "a\nb",
      REDIS_SENTINEL_MASTER: "a b",
      OTEL_SERVICE_NAME: "x".repeat(201),
      JWT_AUDIENCE: ",",
    };
    const names = Object.keys(SETTINGS).filter((name) => !["DATA_DIR", "PERSISTED_OPERATIONS"].includes(name));
    const env = Object.fromEntries(names.map((name) => [name, bad[name as SettingName] ?? "€ €"]));
    expect(problemsOf(env).flatMap((problem) => /^(\w+) is .+; allowed: /s.exec(problem)?.[1] ?? [])).toEqual(names);
  });

  it("tells in the same message what has no effect: it may be what is missed", () => {
    const env = { HOST: "0.0.0.0", ACCESS_TOKENS: "a-token-of-some-length", MANDRILL_WEBHOOK_KEY: "hidden-key" };
    expect(() => loadConfig(env)).toThrow(
      /This setting.*\n {2}HOST is .*MANDRILL_WEBHOOK_KEYS is not set.*\nBeside that:\n {2}MANDRILL_WEBHOOK_KEY is no .*meant/,
    );
  });

  it("says each problem in the error's message", () => {
    expect(() => loadConfig({ PORT: "x", HOST: "a b" })).toThrow(/2 settings.*\n {2}PORT is "x".*\n {2}HOST is "a b"/);
  });

  it.each([
    ["PORT", ["-1", "1.5", "4e3", "0x10", "65536", "４０００"]],
    ["HOST", ["a b", "256.1.1.1", "1.2.3", "[::1", "::zz", "-a", "http://example.com"]],
    [
      "MANDRILL_WEBHOOK_URLS",
      ["example.com/mandrill", "ftp://example.com", "https://example.com,", "https://", "https://a b"],
    ],
    ["MAX_BODY_BYTES", ["0", "1.5MiB", "1e3", "1 TiB", "513 MiB", "-5", "MiB"]],
    ["REDIS_URL", ["localhost:6379", "http://example.com", "redis://", "redis://example.com/name", "redis:example"]],
    ["REDIS_PREFIX", ["a{b}", "a b", "a*", "x".repeat(101)]],
    ["REDIS_MIN_REPLICAS", ["-1", "101", "all", "1.5"]],
    ["RETENTION_EVENTS", ["0", "1.5", "many"]],
    ["RETENTION_DAYS", ["0", "1 week", "1e3", ".", "36501"]],
    ["DEDUPLICATION_DAYS", ["0", "NaN", "Infinity"]],
    ["DEDUPLICATION_EVENTS", ["0"]],
    ["RECENT_ENTRIES", ["0", "-1"]],
    ["MAX_BUFFERED_BYTES", ["0", "1MB"]],
    ["STALL_SECONDS", ["0", "2147484"]],
    ["SHUTDOWN_SECONDS", ["-1", "soon"]],
    ["NODE_ENV", ["staging"]],
    ["ALLOW_OPEN", ["maybe", "2", "constructor"]],
    [
      "ALLOWED_ORIGINS",
      ["*", "null", "example.com", "https://example.com/path", "https://a@example.com", "ftp://example.com"],
    ],
    ["TRUSTED_PROXIES", ["example.com", "10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.1/", "10.0.0.0/8/8"]],
    ["MAX_FIRST", ["0", "501"]],
    ["MAX_MESSAGE_BYTES", ["100", "1 GiB"]],
    ["MAX_SOCKETS_PER_ADDRESS", ["0", "-1", "many"]],
  ])("refuses a %s that cannot be meant", (name, texts) => {
    for (const text of texts)
      expect(problemsOf({ [name]: text }), text).toEqual([expect.stringContaining(`${name} is `)]);
  });

  it("takes origins as browsers write them, and one address for a network of one", () => {
    const { http } = loadConfig({
      ALLOWED_ORIGINS: "https://App.Example.com/, http://localhost:3000",
      TRUSTED_PROXIES: "10.0.0.0/8, 192.0.2.1, ::1",
    });
    expect(http.allowedOrigins).toEqual(["https://app.example.com", "http://localhost:3000"]);
    expect(http.trustedProxies).toEqual(["10.0.0.0/8", "192.0.2.1/32", "::1/128"]);
  });

  it.each([
    ["on", true],
    ["ON", true],
    ["1", true],
    ["yes", true],
    ["off", false],
    ["0", false],
    ["false", false],
  ])("takes %s for a switch", (given, on) => {
    expect(loadConfig({ NODE_ENV: "production", GRAPHIQL: given }).graphiql).toBe(on);
  });

  it("refuses keys without URLs, since a signature covers the URL", () => {
    const [problem, ...others] = problemsOf({ MANDRILL_WEBHOOK_KEYS: "hidden-key" });
    expect(problem).toMatch(/MANDRILL_WEBHOOK_KEYS is set and MANDRILL_WEBHOOK_URLS is not/);
    expect(problem).not.toContain("hidden-key");
    expect(others).toEqual([]);
  });

  it("takes URLs without keys, and warns that nothing is checked", () => {
    const { webhook, warnings } = loadConfig({ MANDRILL_WEBHOOK_URLS: KEYED.MANDRILL_WEBHOOK_URLS });
    expect(webhook.keys).toEqual([]);
    expect(warnings).toEqual([expect.stringContaining("signatures are not checked")]);
  });
});

describe("how Redis is found", () => {
  it("asks sentinels for a master, with what REDIS_URL lends", () => {
    const sentinel = {
      REDIS_SENTINELS: "example.com:26379, [::1]:26380,127.0.0.1:1",
      REDIS_SENTINEL_MASTER: "mymaster",
    };
    const sentinels = [
      { host: "example.com", port: 26_379 },
      { host: "::1", port: 26_380 },
      { host: "127.0.0.1", port: 1 },
    ];
    expect(loadConfig(sentinel).eventLog).toEqual({
      kind: "redis",
      connection: { kind: "sentinel", sentinels, master: "mymaster" },
      prefix: "mandrill-live",
      minReplicas: 0,
    });
    expect(loadConfig({ ...sentinel, REDIS_URL: "redis://:word@master" }).eventLog).toMatchObject({
      connection: { kind: "sentinel", url: "redis://:word@master" },
    });
  });

  it("finds a cluster by some of its nodes", () => {
    expect(loadConfig({ REDIS_CLUSTER: "example.com:7000" }).eventLog).toEqual({
      kind: "redis",
      connection: { kind: "cluster", nodes: [{ host: "example.com", port: 7000 }] },
      prefix: "mandrill-live",
      minReplicas: 0,
    });
  });

  it.each([
    ["sentinels without a master's name", { REDIS_SENTINELS: "a:1" }, /REDIS_SENTINEL_MASTER is not/],
    ["a master's name without sentinels", { REDIS_SENTINEL_MASTER: "m" }, /REDIS_SENTINELS is not/],
    ["sentinels beside a cluster", { REDIS_SENTINELS: "a:1", REDIS_CLUSTER: "b:1" }, /one or the other/],
    ["a database in a cluster", { REDIS_URL: "redis://h/3", REDIS_CLUSTER: "b:1" }, /database 0 alone/],
    ["a node without a port", { REDIS_CLUSTER: "example.com" }, /REDIS_CLUSTER is "example.com"; allowed: host:port/],
    ["an IPv6 address without brackets", { REDIS_CLUSTER: "::1:7000" }, /REDIS_CLUSTER is/],
    ["replicas to wait for without a Redis", { REDIS_MIN_REPLICAS: "1" }, /has no replicas to wait for/],
    ["port 0", { REDIS_CLUSTER: "a:0" }, /REDIS_CLUSTER is/],
  ])("refuses %s", (_what, env, problem) => {
    expect(problemsOf(env)).toEqual([expect.stringMatching(problem)]);
  });

  it("takes replicas to wait for with any way to Redis, and none without", () => {
    const ways = [
      { REDIS_URL: "redis://h" },
      { REDIS_SENTINELS: "a:1", REDIS_SENTINEL_MASTER: "m" },
      { REDIS_CLUSTER: "b:1" },
    ];
    for (const way of ways) {
      expect(loadConfig({ ...way, REDIS_MIN_REPLICAS: "1" }).eventLog).toMatchObject({ minReplicas: 1 });
    }
    expect(problemsOf({ REDIS_MIN_REPLICAS: "0" })).toEqual([]);
  });

  it("takes database 0 in a cluster", () => {
    expect(problemsOf({ REDIS_URL: "redis://h/0", REDIS_CLUSTER: "b:1" })).toEqual([]);
  });
});

describe("what an error tells of secrets", () => {
  it.each([
    ["MANDRILL_WEBHOOK_KEYS", "sesame one,,two"],
    ["REDIS_URL", "http://mallory:sesame@example.com"],
    ["REDIS_URL", "redis://mallory:ses#ame@example.com"],
    ["REDIS_URL", "mallory:sesame@example.com:6379"],
    ["REDIS_URL", "redis://example.com/one?password=sesame"],
    ["MANDRILL_WEBHOOK_URLS", "https://mallory:sesame@example.com,nothing"],
    ["MANDRILL_WEBHOOK_URLS", "https://mallory:ses,ame@example.com/m"],
    ["MANDRILL_WEBHOOK_URLS", "https://mallory:80,sesame@example.com/m"],
    ["MANDRILL_WEBHOOK_URLS", "ftp://example.com/m?key=sesame"],
  ])("keeps the password in a bad %s (%s) to itself", (name, text) => {
    const problems = problemsOf({ [name]: text }).join("\n");
    expect(problems).toContain(`${name} is `);
    expect(problems).not.toMatch(/ses|ame|mallory/);
  });

  it("still shows where a URL with a password leads", () => {
    expect(problemsOf({ REDIS_URL: "http://mallory:sesame@example.com:6379" })[0]).toContain(
      "http://***@example.com:6379",
    );
  });
});

describe("what looks misspelled", () => {
  it.each([
    ["MANDRILL_WEBHOOK_KEY", /is MANDRILL_WEBHOOK_KEYS meant/],
    ["MANDRIL_WEBHOOK_URLS", /is MANDRILL_WEBHOOK_URLS meant/],
    ["REDIS_SENTINEL", /is REDIS_SENTINELS meant/],
    ["Redis_Cluster", /is REDIS_CLUSTER meant/],
    ["RETENTION_DAY", /is RETENTION_DAYS meant/],
    ["MANDRILL_SOMETHING", /has no effect/],
  ])("is warned of: %s", (name, sentence) => {
    const { warnings } = loadConfig({ [name]: "hidden-value" });
    expect(warnings).toEqual([expect.stringMatching(sentence)]);
    expect(warnings.join()).not.toContain("hidden-value");
  });

  it("is not seen in what only a command reads", () => {
    expect(loadConfig({ MANDRILL_API_KEY: "hidden-value" }).warnings).toEqual([]);
  });

  it("is not seen in what container platforms set by themselves", () => {
    expect(
      loadConfig({ REDIS_PORT: "tcp://10.0.0.1:6379", REDIS_SERVICE_HOST: "10.0.0.1", HOSTNAME: "a" }).warnings,
    ).toEqual([]);
  });

  it("warns of a prefix without a Redis", () => {
    expect(loadConfig({ REDIS_PREFIX: "a" }).warnings).toEqual([expect.stringContaining("REDIS_PREFIX has no effect")]);
    expect(loadConfig({ REDIS_PREFIX: "a", REDIS_URL: "redis://h" }).warnings).toEqual([]);
  });
});
