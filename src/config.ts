import { type AccessConfig, accessConfigOf, accessContradictions, accessWarnings } from "./access-settings.ts";
import type { LogLimits } from "./event-log/event-log.ts";
import { exposures } from "./exposed-setting.ts";
import { misspelledSettings } from "./misspelled-setting.ts";
import { SETTINGS, type Setting, type SettingName, type SettingValues } from "./setting.ts";
import type { HostAndPort } from "./setting-kind.ts";
import type { LogLevel } from "./telemetry/logger.ts";
import type { TracingSettings } from "./telemetry/tracing.ts";

/** Which Redis, and how it is found. `url` lends user, password, TLS and database where it is not itself the way. */
export type RedisConnection =
  | { readonly kind: "standalone"; readonly url: string }
  | {
      readonly kind: "sentinel";
      readonly sentinels: readonly HostAndPort[];
      readonly master: string;
      readonly url?: string | undefined;
    }
  | { readonly kind: "cluster"; readonly nodes: readonly HostAndPort[]; readonly url?: string | undefined };

/** Which event log. */
export type EventLogConfig =
  | { readonly kind: "sqlite"; readonly dataDir: string }
  | {
      readonly kind: "redis";
      readonly connection: RedisConnection;
      readonly prefix: string;
      /** Replicas that must have a batch before it is acknowledged. */
      readonly minReplicas: number;
    };

export type { AccessConfig, JwtConfig, JwtKeyConfig } from "./access-settings.ts";

export interface HttpConfig {
  readonly host: string;
  readonly port: number;
  /** The folder that all is served under, such as `/mail`; empty for none. */
  readonly basePath: string;
  /** How long a request's head, its whole, and a pause within its body may last. Milliseconds. */
  readonly headersMs: number;
  readonly requestMs: number;
  readonly bodyIdleMs: number;
  /** As a browser writes them; the service's own need not be among them. */
  readonly allowedOrigins: readonly string[];
  /** Networks in CIDR notation. */
  readonly trustedProxies: readonly string[];
}

/** Which GraphQL documents are executed. */
export interface DocumentConfig {
  readonly maxLength: number;
  readonly maxTokens: number;
  readonly maxDepth: number;
  readonly maxAliases: number;
  readonly maxDirectives: number;
  readonly maxCost: number;
  /** Largest `first` and most `buckets`. */
  readonly maxFirst: number;
  /** Whether the schema may be read, and suggestions are made. */
  readonly introspection: boolean;
  /** A JSON file, id to document: the only ones that are executed. */
  readonly persistedFile: string | undefined;
}

/** What one socket may cost, and how many of them there may be. Spans in milliseconds. */
export interface SocketConfig {
  readonly maxBufferedBytes: number;
  readonly stallMs: number;
  readonly pingMs: number;
  readonly initMs: number;
  readonly authenticationMs: number;
  readonly maxMessageBytes: number;
  readonly maxOperations: number;
  readonly maxOperationIdLength: number;
  readonly maxMessagesPerMinute: number;
  readonly maxOnLoopback: number;
  readonly maxPerAddress: number;
  readonly maxPerToken: number;
}

/** What the service is started with. Frozen through and through. */
export interface Config {
  readonly production: boolean;
  readonly http: HttpConfig;
  readonly webhook: {
    /** As typed into Mandrill. */
    readonly urls: readonly string[];
    /** Empty: signatures are not checked. Never empty `urls` beside keys. */
    readonly keys: readonly string[];
    readonly maxBodyBytes: number;
  };
  /** null while no access rules are set. */
  readonly access: AccessConfig | null;
  readonly eventLog: EventLogConfig;
  readonly limits: LogLimits;
  readonly feed: { readonly recentEntries: number; readonly maxReplays: number };
  readonly documents: DocumentConfig;
  /** Whether browsers get GraphiQL. */
  readonly graphiql: boolean;
  readonly socket: SocketConfig;
  readonly shutdownMs: number;
  /** Processes that serve the port. */
  readonly workers: number;
  readonly telemetry: {
    /** null where nothing is traced. */
    readonly tracing: TracingSettings | null;
    readonly metricsPort: number | null;
    readonly level: LogLevel;
  };
  /** What was given but has no effect, a sentence each, for a person. */
  readonly warnings: readonly string[];
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Every variable that cannot be used, and beside them what has no effect, a sentence each; secrets are masked. */
export class ConfigError extends Error {
  readonly problems: readonly string[];
  readonly warnings: readonly string[];

  constructor(problems: readonly string[], warnings: readonly string[]) {
    const settings = problems.length === 1 ? "This setting" : `These ${problems.length} settings`;
    const parts = [`${settings} cannot be used:`, ...indented(problems)];
    // A misspelled name is often the very setting that is missed.
    if (warnings.length > 0) parts.push("Beside that:", ...indented(warnings));
    super(parts.join("\n"));
    this.name = "ConfigError";
    this.problems = problems;
    this.warnings = warnings;
  }
}

function indented(sentences: readonly string[]): string[] {
  return sentences.map((sentence) => `  ${sentence}`);
}

/**
 * Reads every setting from the environment. A variable that is empty, or blank, is not set.
 * @throws {ConfigError} naming every variable that is wrong, what was given and what is allowed
 */
export function loadConfig(env: Environment): Config {
  const { values, problems } = readSettings(env);
  problems.push(...contradictions(env), ...crowds(values, (name) => textOf(env, name) !== undefined));
  problems.push(...exposures(values, (name) => textOf(env, name) !== undefined));
  if (problems.length > 0) throw new ConfigError(problems, warningsOf(env));
  return deepFreeze({
    production: values.NODE_ENV === "production",
    http: {
      host: values.HOST,
      port: values.PORT,
      basePath: values.BASE_PATH,
      headersMs: values.HEADERS_SECONDS,
      requestMs: values.REQUEST_SECONDS,
      bodyIdleMs: values.BODY_IDLE_SECONDS,
      allowedOrigins: values.ALLOWED_ORIGINS,
      trustedProxies: values.TRUSTED_PROXIES,
    },
    webhook: {
      urls: values.MANDRILL_WEBHOOK_URLS,
      keys: values.MANDRILL_WEBHOOK_KEYS,
      maxBodyBytes: values.MAX_BODY_BYTES,
    },
    access: accessConfigOf(values),
    eventLog: eventLogOf(values),
    limits: {
      retentionEvents: values.RETENTION_EVENTS,
      retentionMs: values.RETENTION_DAYS,
      deduplicationMs: values.DEDUPLICATION_DAYS,
      deduplicationEvents: values.DEDUPLICATION_EVENTS,
    },
    feed: { recentEntries: values.RECENT_ENTRIES, maxReplays: values.MAX_REPLAYS },
    documents: {
      maxLength: values.MAX_DOCUMENT_LENGTH,
      maxTokens: values.MAX_TOKENS,
      maxDepth: values.MAX_DEPTH,
      maxAliases: values.MAX_ALIASES,
      maxDirectives: values.MAX_DIRECTIVES,
      maxCost: values.MAX_COST,
      maxFirst: values.MAX_FIRST,
      introspection: values.INTROSPECTION ?? values.NODE_ENV !== "production",
      persistedFile: values.PERSISTED_OPERATIONS,
    },
    graphiql: values.GRAPHIQL ?? values.NODE_ENV !== "production",
    socket: {
      maxBufferedBytes: values.MAX_BUFFERED_BYTES,
      stallMs: values.STALL_SECONDS,
      pingMs: values.PING_SECONDS,
      initMs: values.CONNECTION_INIT_SECONDS,
      authenticationMs: values.AUTHENTICATION_SECONDS,
      maxMessageBytes: values.MAX_MESSAGE_BYTES,
      maxOperations: values.MAX_OPERATIONS,
      maxOperationIdLength: values.MAX_OPERATION_ID_LENGTH,
      maxMessagesPerMinute: values.MAX_MESSAGES_PER_MINUTE,
      maxOnLoopback: values.MAX_SOCKETS_ON_LOOPBACK,
      maxPerAddress: values.MAX_SOCKETS_PER_ADDRESS,
      maxPerToken: values.MAX_SOCKETS_PER_TOKEN,
    },
    shutdownMs: values.SHUTDOWN_SECONDS,
    workers: values.WORKERS,
    telemetry: {
      tracing:
        values.OTEL_EXPORTER_OTLP_ENDPOINT === undefined
          ? null
          : { endpoint: values.OTEL_EXPORTER_OTLP_ENDPOINT, serviceName: values.OTEL_SERVICE_NAME },
      metricsPort: values.METRICS_PORT,
      level: values.LOG_LEVEL,
    },
    warnings: warningsOf(env),
  });
}

function readSettings(env: Environment): { values: SettingValues; problems: string[] } {
  const problems: string[] = [];
  const values: Partial<Record<SettingName, unknown>> = {};
  for (const [name, setting] of Object.entries(SETTINGS) as [SettingName, Setting<unknown>][]) {
    const given = textOf(env, name);
    const value = given === undefined ? setting.unset : setting.parse(given);
    values[name] = value;
    if (given === undefined || value !== undefined) continue;
    problems.push(`${name} is ${setting.show?.(given) ?? JSON.stringify(given)}; allowed: ${setting.allowed}.`);
  }
  // Complete where there is no problem, and used only then.
  return { values: values as SettingValues, problems };
}

/** Any of these makes Redis the event log. */
const REDIS_WAYS = ["REDIS_URL", "REDIS_SENTINELS", "REDIS_CLUSTER"] as const;

/** SQLite's file is held by one process. */
function crowds({ WORKERS: workers }: Partial<SettingValues>, isSet: (name: SettingName) => boolean): string[] {
  if (workers === undefined || workers === 1 || REDIS_WAYS.some(isSet)) return [];
  return [
    `WORKERS makes ${workers} processes, and the embedded event log is for one: set ${REDIS_WAYS.join(", ")} or WORKERS=1.`,
  ];
}

/** What no single variable is to blame for. */
function contradictions(env: Environment): string[] {
  const set = (name: SettingName): boolean => textOf(env, name) !== undefined;
  const problems: string[] = [];
  if (set("MANDRILL_WEBHOOK_KEYS") && !set("MANDRILL_WEBHOOK_URLS")) {
    problems.push(
      "MANDRILL_WEBHOOK_KEYS is set and MANDRILL_WEBHOOK_URLS is not: a signature covers the URL as typed into Mandrill, so it cannot be checked without.",
    );
  }
  problems.push(...accessContradictions(set));
  if (set("REDIS_CLUSTER") && (set("REDIS_SENTINELS") || set("REDIS_SENTINEL_MASTER"))) {
    problems.push("REDIS_CLUSTER and REDIS_SENTINELS are both set: a Redis is found by one or the other.");
  } else if (set("REDIS_SENTINELS") !== set("REDIS_SENTINEL_MASTER")) {
    problems.push(
      set("REDIS_SENTINELS")
        ? "REDIS_SENTINELS is set and REDIS_SENTINEL_MASTER is not: sentinels are asked for a master by its name."
        : "REDIS_SENTINEL_MASTER is set and REDIS_SENTINELS is not: nobody can be asked where the master is.",
    );
  }
  const minReplicas = SETTINGS.REDIS_MIN_REPLICAS.parse(textOf(env, "REDIS_MIN_REPLICAS") ?? "0") ?? 0;
  if (minReplicas > 0 && !REDIS_WAYS.some(set)) {
    problems.push(
      `REDIS_MIN_REPLICAS is set and none of ${REDIS_WAYS.join(", ")} is: the embedded log has no replicas to wait for.`,
    );
  }
  if (set("REDIS_CLUSTER") && /\/0*[1-9]\d*$/.test(textOf(env, "REDIS_URL") ?? "")) {
    problems.push("REDIS_URL names a database and REDIS_CLUSTER is set: a cluster has database 0 alone.");
  }
  return problems;
}

function warningsOf(env: Environment): string[] {
  const given = Object.keys(env).filter((name) => textOf(env, name) !== undefined);
  const warnings = [...misspelledSettings(given, Object.keys(SETTINGS))];
  if (given.includes("REDIS_PREFIX") && !REDIS_WAYS.some((name) => given.includes(name))) {
    warnings.push(`REDIS_PREFIX has no effect: none of ${REDIS_WAYS.join(", ")} is set.`);
  }
  if (given.includes("MANDRILL_WEBHOOK_URLS") && !given.includes("MANDRILL_WEBHOOK_KEYS")) {
    warnings.push("MANDRILL_WEBHOOK_KEYS is not set: signatures are not checked, whatever MANDRILL_WEBHOOK_URLS says.");
  }
  warnings.push(...accessWarnings((name) => textOf(env, name)));
  return warnings;
}

function eventLogOf(values: SettingValues): EventLogConfig {
  const connection = connectionOf(values);
  return connection === undefined
    ? { kind: "sqlite", dataDir: values.DATA_DIR }
    : { kind: "redis", connection, prefix: values.REDIS_PREFIX, minReplicas: values.REDIS_MIN_REPLICAS };
}

function connectionOf(values: SettingValues): RedisConnection | undefined {
  const { REDIS_URL: url, REDIS_SENTINELS: sentinels, REDIS_SENTINEL_MASTER: master, REDIS_CLUSTER: nodes } = values;
  if (nodes !== undefined) return { kind: "cluster", nodes, url };
  if (sentinels !== undefined && master !== undefined) return { kind: "sentinel", sentinels, master, url };
  return url === undefined ? undefined : { kind: "standalone", url };
}

function textOf(env: Environment, name: string): string | undefined {
  const text = env[name]?.trim();
  return text === "" ? undefined : text;
}

function deepFreeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) if (typeof part === "object" && part !== null) deepFreeze(part);
  return Object.freeze(value);
}
