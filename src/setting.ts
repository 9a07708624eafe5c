import { ACCESS_SETTINGS } from "./access-settings.ts";
import { LIMIT_SETTINGS } from "./limit-settings.ts";
import {
  byteSize,
  directory,
  duration,
  file,
  host,
  hostAndPort,
  listOf,
  network,
  oneOf,
  onOff,
  origin,
  secret,
  text,
  url,
  wholeNumber,
  workers,
} from "./setting-kind.ts";
import { optional, type Setting, setting } from "./setting-row.ts";
import { LOG_LEVELS } from "./telemetry/logger.ts";

/** What a timer of Node can wait for: 2^31 - 1 ms. */
const LONGEST_TIMER_SECONDS = 2_147_483;
const HUNDRED_YEARS = 36_500;
const MOST_EVENTS = 1_000_000_000;
/** More than anyone waits for: a larger number is a slip. */
const MOST_REPLICAS = 100;

const REDIS_URL =
  "redis://host:6379 or rediss://host:6379, with user:password@ before the host and /database behind it if need be";

/**
 * Every setting there is: loadConfig reads these and no others, README's table and `--help` are made from them.
 * Spans are kept in milliseconds, sizes in bytes.
 */
export const SETTINGS = {
  PORT: setting("Port to listen on; 0 takes any free one.", wholeNumber(0, 65_535), "4000"),
  HOST: setting(
    "Address to listen on. `127.0.0.1` is reached from this machine alone; `0.0.0.0` or `::` from everywhere.",
    host,
    "127.0.0.1",
  ),
  BASE_PATH: optional(
    "Folder of the URL that everything is served under, for a proxy that leaves it in place.",
    text("a path such as /mail or /tools/mail, without a slash at its end", /^(?:\/[\w.~-]+)+$/),
    "",
  ),
  MANDRILL_WEBHOOK_URLS: optional(
    "The URLs typed into Mandrill, exactly as typed there: they are part of what is signed.",
    listOf(url(["http:", "https:"], ""), "http:// or https:// URLs, with commas between them"),
    [] as const,
  ),
  MANDRILL_WEBHOOK_KEYS: optional(
    "The keys of these webhooks and inbound routes. With keys, an unsigned or wrongly signed request is refused; without, every request is taken.",
    secret(listOf(text("", /^\S+$/), "keys without blanks, with commas between them")),
    [] as const,
  ),
  ...ACCESS_SETTINGS,
  ALLOW_OPEN: setting(
    "`on` lets the service listen beyond this machine though webhook keys or access rules are missing.",
    onOff,
    "off",
  ),
  ALLOWED_ORIGINS: optional(
    "Origins of other sites whose pages may ask this service, over HTTP, SSE and WebSocket; its own pages always may.",
    listOf(origin, "origins such as https://app.example.com, with commas between them"),
    [] as const,
  ),
  TRUSTED_PROXIES: optional(
    "Reverse proxies whose `X-Forwarded-For` is believed: clients are counted by the address that it names.",
    listOf(network, "IP addresses and networks such as 10.0.0.0/8, with commas between them"),
    [] as const,
  ),
  PERSISTED_OPERATIONS: optional(
    "A JSON file that maps ids to GraphQL documents. With it, no other document is executed but the live page's own.",
    file,
    undefined,
  ),
  INTROSPECTION: optional(
    "Whether clients may read the schema, and are told what they may have meant. Unless set: not with `NODE_ENV=production`.",
    onOff,
    undefined,
  ),
  GRAPHIQL: optional(
    "Whether browsers get GraphiQL at `/graphql`. Unless set: not with `NODE_ENV=production`.",
    onOff,
    undefined,
  ),
  MAX_BODY_BYTES: setting(
    "Largest request body that `/mandrill` takes; inbound mail brings its attachments along.",
    byteSize("1", "512 MiB"),
    "32 MiB",
  ),
  DATA_DIR: setting("Where the embedded event log (SQLite) lives. Not used with Redis.", directory, "./data"),
  REDIS_URL: optional(
    "Keeps the event log in this Redis. With Sentinel or Cluster it lends them its user, password, TLS and database.",
    url(["redis:", "rediss:"], REDIS_URL, /^\/?\d{0,5}$/),
    undefined,
  ),
  REDIS_SENTINELS: optional(
    "Sentinels to ask for the master.",
    listOf(hostAndPort, "host:port pairs, with commas between them and IPv6 addresses in brackets"),
    undefined,
  ),
  REDIS_SENTINEL_MASTER: optional(
    "The master's name, as the sentinels know it.",
    text("a name without blanks", /^\S{1,200}$/),
    undefined,
  ),
  REDIS_CLUSTER: optional(
    "Some nodes of a Redis Cluster; the others are found.",
    listOf(hostAndPort, "host:port pairs, with commas between them and IPv6 addresses in brackets"),
    undefined,
  ),
  REDIS_PREFIX: setting(
    "Begins every key and channel, so that one Redis can serve several.",
    // Braces would be a hash tag of their own, and keys of one log would part over the slots of a cluster.
    text("1 to 100 letters, digits and . _ : / -", /^[\w.:/-]{1,100}$/),
    "mandrill-live",
  ),
  REDIS_MIN_REPLICAS: setting(
    "Replicas of Redis that must have a batch before Mandrill is told 200; with too few of them it is told 503.",
    wholeNumber(0, MOST_REPLICAS),
    "0",
  ),
  RETENTION_EVENTS: setting("Events that the log keeps at the most.", wholeNumber(1, MOST_EVENTS), "100000"),
  RETENTION_DAYS: setting("How long the log keeps an event.", duration("days", HUNDRED_YEARS), "30"),
  DEDUPLICATION_DAYS: setting(
    "How long an event that Mandrill sends again is known.",
    duration("days", HUNDRED_YEARS),
    "7",
  ),
  DEDUPLICATION_EVENTS: setting(
    "For how many later events it is known; what is reached first ends it.",
    wholeNumber(1, MOST_EVENTS),
    "1000000",
  ),
  RECENT_ENTRIES: setting(
    "Newest events that an instance keeps in memory (64 MB at the most), so that returning listeners need no store.",
    wholeNumber(1, 1_000_000),
    "10000",
  ),
  MAX_BUFFERED_BYTES: setting(
    "What may wait for one slow reader before its subscription ends with `SUBSCRIBER_LAGGED`.",
    byteSize("1", "1 GiB"),
    "1 MiB",
  ),
  STALL_SECONDS: setting(
    "After how long a socket that has not once taken all that waits for it is cut.",
    duration("seconds", LONGEST_TIMER_SECONDS),
    "30",
  ),
  PING_SECONDS: setting(
    "How often a socket is pinged; a peer that is gone is found 10 seconds later. A proxy's idle time-out must be longer.",
    duration("seconds", LONGEST_TIMER_SECONDS),
    "25",
  ),
  SHUTDOWN_SECONDS: setting(
    "How long a stop waits for requests and listeners to end by themselves.",
    duration("seconds", LONGEST_TIMER_SECONDS, { zero: true }),
    "10",
  ),
  WORKERS: setting(
    "Processes that serve the one port, `auto` for as many as there are cores. More than one takes Redis.",
    workers,
    "1",
  ),
  METRICS_PORT: optional(
    "Port for `/metrics` alone, without a token. Unless set, they are on the main port, for who may see every event.",
    wholeNumber(0, 65_535),
    null,
  ),
  OTEL_EXPORTER_OTLP_ENDPOINT: optional(
    "OpenTelemetry collector that takes OTLP over HTTP: one trace a batch, from its POST to the frames. Unless set, nothing is traced.",
    url(["http:", "https:"], "an http:// or https:// URL, such as http://localhost:4318"),
    undefined,
  ),
  OTEL_SERVICE_NAME: setting("The name that traces are filed under.", text("a name", /^.{1,200}$/), "mandrill-live"),
  LOG_LEVEL: setting("How much is logged.", oneOf(LOG_LEVELS), "info"),
  NODE_ENV: setting(
    "`production` tells a caller nothing of an unexpected error's inside.",
    oneOf(["development", "production", "test"]),
    "development",
  ),
  ...LIMIT_SETTINGS,
} as const satisfies Record<string, Setting<unknown>>;

export type { Setting };

export type SettingName = keyof typeof SETTINGS;

/** What each setting amounts to. */
export type SettingValues = { readonly [N in SettingName]: (typeof SETTINGS)[N]["unset"] };
