import {
  byteSize,
  directory,
  duration,
  host,
  hostAndPort,
  listOf,
  oneOf,
  type SettingKind,
  secret,
  text,
  url,
  wholeNumber,
} from "./setting-kind.ts";
import { LOG_LEVELS } from "./telemetry/logger.ts";

/** One variable of the environment. */
export interface Setting<T> extends SettingKind<T> {
  /** What it does, in Markdown: a row of README's table and of `--help`. */
  readonly meaning: string;
  /** The default as a person would write it; undefined where the setting is simply absent. */
  readonly default: string | undefined;
  /** The value where the variable is not set, or empty. */
  readonly unset: T;
}

function setting<T>(meaning: string, kind: SettingKind<T>, text: string): Setting<T> {
  const unset = kind.parse(text);
  if (unset === undefined) throw new RangeError(`the default ${text} is not allowed: ${kind.allowed}`);
  return { ...kind, meaning, default: text, unset };
}

function optional<T, U>(meaning: string, kind: SettingKind<T>, unset: U): Setting<T | U> {
  return { ...kind, meaning, default: undefined, unset };
}

/** What a timer of Node can wait for: 2^31 - 1 ms. */
const LONGEST_TIMER_SECONDS = 2_147_483;
const HUNDRED_YEARS = 36_500;
const MOST_EVENTS = 1_000_000_000;

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
    "After how long a socket that takes nothing at all is cut.",
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
  LOG_LEVEL: setting("How much is logged.", oneOf(LOG_LEVELS), "info"),
  NODE_ENV: setting(
    "`production` tells a caller nothing of an unexpected error's inside.",
    oneOf(["development", "production", "test"]),
    "development",
  ),
} as const satisfies Record<string, Setting<unknown>>;

export type SettingName = keyof typeof SETTINGS;

/** What each setting amounts to. */
export type SettingValues = { readonly [N in SettingName]: (typeof SETTINGS)[N]["unset"] };
