import { isIP, isIPv6 } from "node:net";
import { availableParallelism } from "node:os";
import { maskedUrl } from "./telemetry/masked-url.ts";

/** How the text of a variable becomes a value. */
export interface SettingKind<T> {
  /** What is allowed, its unit included, as it follows "allowed:" in a sentence. */
  readonly allowed: string;
  /** undefined where the text is not allowed. Gets no empty text and no surrounding blanks. */
  readonly parse: (text: string) => T | undefined;
  /** The text as it may be told. @default the text itself, in quotes */
  readonly show?: ((text: string) => string) | undefined;
}

export interface HostAndPort {
  /** A name or an address; an IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
}

export function wholeNumber(from: number, to: number): SettingKind<number> {
  return {
    allowed: `a whole number from ${from} to ${to}`,
    parse: (text) => (/^\d{1,15}$/.test(text) ? within(Number(text), from, to) : undefined),
  };
}

/** A span of time, given in `unit` and kept in milliseconds; fractions are allowed. Zero is refused unless `zero`. */
export function duration(unit: "days" | "seconds", most: number, { zero = false } = {}): SettingKind<number> {
  const unitMs = unit === "days" ? 86_400_000 : 1_000;
  return {
    allowed: `${zero ? "0 to" : "more than 0 and up to"} ${most} ${unit}, fractions included`,
    parse(text) {
      if (!/^(?:\d{1,9}(?:\.\d{0,9})?|\.\d{1,9})$/.test(text)) return undefined;
      return within(Math.round(Number(text) * unitMs), zero ? 0 : 1, most * unitMs);
    },
  };
}

const BYTES: Readonly<Record<string, number>> = { "": 1, kib: 1024, mib: 1024 ** 2, gib: 1024 ** 3 };

export function byteSize(from: string, to: string): SettingKind<number> {
  const parse = (text: string): number | undefined => {
    const [, amount, unit] = /^(\d{1,15})\s*([kmg]ib|)$/i.exec(text) ?? [];
    return amount === undefined ? undefined : Number(amount) * (BYTES[unit?.toLowerCase() ?? ""] ?? 1);
  };
  const [least, most] = [parse(from) ?? 0, parse(to) ?? 0];
  return {
    allowed: `bytes, from ${from} to ${to}, such as 1048576 or 1 MiB`,
    parse(text) {
      const bytes = parse(text);
      return bytes === undefined ? undefined : within(bytes, least, most);
    },
  };
}

/** Enough for any machine. */
const MOST_WORKERS = 256;

/** A number of processes. */
export const workers: SettingKind<number> = {
  allowed: `a whole number from 1 to ${MOST_WORKERS}, or auto`,
  parse: (given) =>
    given.toLowerCase() === "auto" ? availableParallelism() : wholeNumber(1, MOST_WORKERS).parse(given),
};

/** One of a few words, in any case. */
export function oneOf<T extends string>(words: readonly T[]): SettingKind<T> {
  return { allowed: words.join(", "), parse: (text) => words.find((word) => word === text.toLowerCase()) };
}

/** Text of a shape. */
export function text(allowed: string, shape: RegExp): SettingKind<string> {
  return { allowed, parse: (given) => (shape.test(given) ? given : undefined) };
}

export const directory: SettingKind<string> = {
  allowed: "a directory; it is made where it is missing",
  parse: (path) => path,
};

export const file: SettingKind<string> = { allowed: "a file", parse: (path) => path };

const SWITCH: Readonly<Record<string, boolean>> = {
  on: true,
  true: true,
  yes: true,
  1: true,
  off: false,
  false: false,
  no: false,
  0: false,
};

export const onOff: SettingKind<boolean> = {
  allowed: "on or off (or 1 and 0, true and false, yes and no)",
  parse: (given) => (Object.hasOwn(SWITCH, given.toLowerCase()) ? SWITCH[given.toLowerCase()] : undefined),
};

/** A web origin, as a browser writes it: scheme, host, and the port where it is not the scheme's own. */
export const origin: SettingKind<string> = {
  allowed: "an origin such as https://app.example.com",
  show: maskedUrl,
  parse(given) {
    if (!/^https?:\/\/[^\s/?#@*]+\/?$/i.test(given) || !URL.canParse(given)) return undefined;
    return new URL(given).origin;
  },
};

/** An IP address, or a network in CIDR notation. */
export const network: SettingKind<string> = {
  allowed: "an IP address, or a network such as 10.0.0.0/8",
  parse(given) {
    const [address = "", prefix, ...rest] = given.split("/");
    const version = isIP(address);
    if (version === 0 || rest.length > 0) return undefined;
    const longest = version === 4 ? 32 : 128;
    if (prefix === undefined) return `${address}/${longest}`;
    return /^\d{1,3}$/.test(prefix) && Number(prefix) <= longest ? given : undefined;
  },
};

/** An address to listen on: a name, an IPv4 address, or an IPv6 address with or without brackets. */
export const host: SettingKind<string> = { allowed: "a host name or an IP address", parse: parseHost };

export const hostAndPort: SettingKind<HostAndPort> = {
  allowed: "host:port, an IPv6 address in brackets",
  parse(given) {
    const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(given) ?? [];
    const port = within(Number(digits), 1, 65_535);
    const name = bracketed === undefined ? parseHost(plain ?? "") : ipv6(bracketed);
    return name === undefined || port === undefined ? undefined : { host: name, port };
  },
};

/** A URL, kept as it was typed. */
export function url(protocols: readonly string[], allowed: string, shape?: RegExp): SettingKind<string> {
  return {
    allowed,
    show: maskedUrl,
    parse(given) {
      if (/\s/.test(given) || !URL.canParse(given)) return undefined;
      const { protocol, hostname, pathname } = new URL(given);
      const fits = protocols.includes(protocol) && hostname !== "" && (shape?.test(pathname) ?? true);
      return fits ? given : undefined;
    },
  };
}

/** One or more of a kind, with commas between them. */
export function listOf<T>(kind: SettingKind<T>, allowed: string): SettingKind<readonly T[]> {
  const split = (given: string) => given.split(",").map((item) => item.trim());
  const { show } = kind;
  return {
    allowed,
    parse(given) {
      const items = split(given).map((item) => (item === "" ? undefined : kind.parse(item)));
      return items.includes(undefined) ? undefined : (items as T[]);
    },
    // A comma within a password tears it apart: where one piece cannot be told, none is.
    show: show && ((given) => (split(given).map(show).includes(HIDDEN) ? HIDDEN : split(given).map(show).join(","))),
  };
}

/** The kind, but what was given is never told. */
export function secret<T>(kind: SettingKind<T>): SettingKind<T> {
  return { ...kind, show: () => HIDDEN };
}

const HIDDEN = "[hidden]";

function within(value: number, from: number, to: number): number | undefined {
  return value >= from && value <= to ? value : undefined;
}

function ipv6(given: string): string | undefined {
  return isIPv6(given) ? given : undefined;
}

const LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?";
const HOST_NAME = new RegExp(`^(?=.{1,253}$)${LABEL}(?:\\.${LABEL})*\\.?$`, "i");

function parseHost(given: string): string | undefined {
  const bracketed = /^\[(.+)\]$/.exec(given)?.[1];
  if (bracketed !== undefined) return ipv6(bracketed);
  if (isIP(given) !== 0) return given;
  const numeric = /^[\d.]+$/.test(given);
  return !numeric && HOST_NAME.test(given) ? given : undefined;
}
