import { type DestinationStream, destination, type Logger, type LoggerOptions, pino, stdSerializers } from "pino";
import { readableLine } from "./readable-line.ts";

/** How much is told, from the least to the most. */
export const LOG_LEVELS = ["silent", "fatal", "error", "warn", "info", "debug", "trace"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LoggerSettings {
  readonly level: LogLevel;
  /** One readable line instead of one JSON object a line: for a terminal. */
  readonly pretty: boolean;
  /** @default standard output, written synchronously: a process that ends has told everything */
  readonly destination?: DestinationStream | undefined;
}

/** Fields that are never told, on the first two levels of what is logged. */
const SECRET_FIELDS = [
  "authorization",
  "cookie",
  "key",
  "keys",
  "password",
  "secret",
  "signature",
  "token",
  "username",
];

const OPTIONS: LoggerOptions = {
  base: null,
  redact: { paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]), censor: "[hidden]" },
  serializers: { err: stdSerializers.err, error: stdSerializers.err },
  formatters: { level: (label) => ({ level: label }) },
  timestamp: () => `,"time":"${new Date().toISOString()}"`,
};

/**
 * The process's one logger. Whatever is logged, an error's message and stack included, no e-mail address, no
 * credentials of a URL and nothing that looks like a token leave it: JSON.parse quotes what it could not read, and
 * libraries quote what they were given.
 */
export function createLogger({ level, pretty, destination: out = destination(1) }: LoggerSettings): Logger {
  const write = (line: string): void => {
    const told = hidePrivate(line);
    out.write(pretty ? readableLine(told) : told);
  };
  return pino({ ...OPTIONS, level }, { write });
}

// Works on JSON text: an escape is taken as a whole, or `\n` before an address would lose its backslash. Every part is
// bounded, or a long text would cost the square of its length. `*` is left out of addresses, so that what is masked
// already (`https://***@host`) stays as it is.
const ESCAPE = /\\(?:u[0-9a-f]{4}|.)/.source;
const CREDENTIALS = /(?<=:\/\/)[^\s"\\/?#@*]{1,256}(?=@)/.source;
const ADDRESS = /[^\s"\\<>()[\],;:@*/]{1,64}@[^\s"\\<>()[\],;:@*/]{1,253}/.source;
// A JWT begins with `{"`; a ticket stands in a URL; what follows "Bearer" is one or the other.
const TOKEN = /eyJ[\w-]{8,512}\.[\w.-]{1,8192}|(?<=[?&]ticket=|\bBearer )[^\s"\\&]{1,8192}/.source;
const TO_HIDE = new RegExp(`(?<escaped>${ESCAPE})|(?<credentials>${CREDENTIALS})|(?<token>${TOKEN})|${ADDRESS}`, "gi");
/** What none of these is without: most lines need no closer look. */
const MAY_BE_PRIVATE = /@|eyJ|ticket=|Bearer /i;

/** The line with every e-mail address, every user and password of a URL, and every token replaced. */
function hidePrivate(line: string): string {
  if (!MAY_BE_PRIVATE.test(line)) return line;
  return line.replace(TO_HIDE, (found, escaped?: string, credentials?: string, token?: string) => {
    if (escaped !== undefined) return found;
    if (token !== undefined) return "[token]";
    return credentials === undefined ? "[address]" : "***";
  });
}
