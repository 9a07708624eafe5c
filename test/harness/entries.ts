import { randomBytes } from "node:crypto";
import type { Position } from "../../src/event/cursor.ts";
import { createEntryCodec, Entry } from "../../src/event/entry.ts";
import type { LiveEntry } from "../../src/event/live-entry.ts";
import { type SampleFields, sampleEvent } from "./event-samples.ts";

/** A maker of consecutive entries of one imaginary log: for tests below the log. */
export interface EntryMaker {
  /** The next entry. */
  next(fields?: SampleFields, bytes?: number): LiveEntry;
  run(count: number, fieldsOf?: (number: number) => SampleFields): LiveEntry[];
  /** The place of the newest entry made. */
  readonly position: Position & { readonly cursor: string };
}

export function createEntryMaker(epoch = "0badcafe"): EntryMaker {
  const codec = createEntryCodec(randomBytes(16));
  let number = 0;
  let tag = "AAAAAAAA";
  const next = (fields: SampleFields = {}, bytes = 500): LiveEntry => {
    number += 1;
    tag = randomBytes(6).toString("base64url");
    const event = sampleEvent({ id: `event-${number}`, ...fields });
    return new Entry({ epoch, number, tag }, 1_700_000_000_000 + number, event, bytes, codec) as LiveEntry;
  };
  return {
    next,
    run: (count, fieldsOf = () => ({})) => Array.from({ length: count }, () => next(fieldsOf(number + 1))),
    get position() {
      return { epoch, number, tag, cursor: codec.encode({ epoch, number, tag }) };
    },
  };
}
