import { createHash } from "node:crypto";

/** Characters of a value that stand in a name as they are: a longer one is hashed. */
const LONGEST_VALUE = 128;

/** Milliseconds after which what a check has written is gone. */
export const CHECK_EXPIRY = 60_000;

/** The names of all that one log keeps in Redis. They share one hash tag, so that a cluster keeps them in one slot. */
export interface RedisKeys {
  /** Hash: layout, epoch, number, tag and receivedAt of the head, oldest, cursorKey, countsFrom, erasures. */
  readonly meta: string;
  /** Stream: the entry `<number>-0` with the fields t (tag), r (receivedAt) and e (the stored event). */
  readonly entries: string;
  /** What {@link entries} was, between two commands of the script that replaces it. */
  readonly replaced: string;
  /** Hash, by number: `<tag> <receivedAt>` of an entry that was erased. */
  readonly erased: string;
  /** String: the index of the newest entries, as append.lua adds to it (term-tail.ts). */
  readonly tail: string;
  /** Sorted set of the first numbers of the blocks of the index, by number. */
  readonly blocks: string;
  /** Sorted set of event ids by the number last given to each: the deduplication window, and where an id is found. */
  readonly ids: string;
  /** Sorted set of the first numbers of each minute in which something was received, by that minute. */
  readonly minutes: string;
  /** Hash: the counts of the minute that the newest entry was received in, by {@link countName}. */
  readonly minute: string;
  /** Hash, by minute: JSON of the counts of each minute before it. */
  readonly counts: string;
  /** List of webhook requests as JSON, newest first. */
  readonly requests: string;
  /** Sorted set of the ids of tokens that no longer hold, by the time until which they stay on it. */
  readonly revoked: string;
  /** Which list of them it is: another text after each change. */
  readonly revision: string;
  /** What a check writes: it expires by itself. */
  readonly check: string;
  /** The channel on which an append tells how far the log reaches. */
  readonly channel: string;
  /** Hash: the index of the entries from number `first` on, up to the next block or the tail (term-block.ts). */
  block(first: number): string;
  /** Stream: a copy of the entries that is being made to replace them. It expires by itself. */
  copy(name: string): string;
  /** Of the former layout: list of appends, oldest first: JSON of first and last number, receivedAt and the sets of it. */
  readonly terms: string;
  /** What {@link terms} is called once the log has been converted, until the sets that it names are removed. */
  readonly formerTerms: string;
  /** Of the former layout: sorted set of the numbers of the entries that bear `value` under `field`, by number. */
  formerIndex(field: string, value: string): string;
}

export function createKeys(prefix: string): RedisKeys {
  // Redis hashes what stands between the first brace and the next: nothing there would be no tag at all.
  if (prefix === "" || /[{}]/.test(prefix)) throw new RangeError("a prefix has no braces and is not empty");
  const key = (name: string) => `{${prefix}}:${name}`;
  return {
    meta: key("meta"),
    entries: key("entries"),
    replaced: key("replaced"),
    erased: key("erased"),
    tail: key("tail"),
    blocks: key("blocks"),
    ids: key("ids"),
    minutes: key("minutes"),
    minute: key("minute"),
    counts: key("counts"),
    requests: key("requests"),
    revoked: key("revoked"),
    revision: key("revision"),
    check: key("check"),
    channel: key("appended"),
    block: (first) => key(`block:${first}`),
    copy: (name) => key(`copy:${name}`),
    terms: key("terms"),
    formerTerms: key("former-terms"),
    formerIndex: (field, value) => key(`i:${field}:${nameOf(value)}`),
  };
}

/** The name under which an event is counted by the minute; no type has a colon. */
export function countName(type: string, subaccount: string | null): string {
  return subaccount === null ? type : `${type}:${nameOf(subaccount)}`;
}

/** `value` as a part of a name. Not well-formed UTF-16, it would lose in UTF-8 what sets it apart from others. */
function nameOf(value: string): string {
  if (value.length <= LONGEST_VALUE && value.isWellFormed()) return `=${value}`;
  return `#${createHash("sha256").update(JSON.stringify(value)).digest("base64url")}`;
}
