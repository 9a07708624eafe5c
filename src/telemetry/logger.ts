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
 * The process's one logger. Whatever is logged, an error's message and stack included, no e-mail address and no
 * credentials of a URL leave it: JSON.parse quotes what it could not read, and libraries quote what they were given.
 */
export function createLogger({ level, pretty, destination: out = destination(1) }: LoggerSettings): Logger {
  const write = (line: string): void => {
    const told = hideAddresses(line);
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
const TO_HIDE = new RegExp(`(?<escaped>${ESCAPE})|(?<credentials>${CREDENTIALS})|${ADDRESS}`, "g");

/** The line with every e-mail address, and every user and password of a URL, replaced. */
function hideAddresses(line: string): string {
  if (!line.includes("@")) return line;
  return line.replace(TO_HIDE, (found, escaped?: string, credentials?: string) => {
    if (escaped !== undefined) return found;
    return credentials === undefined ? "[address]" : "***";
  });
}
