import { encodePlaces, type Places } from "../places.ts";
import type { EntryTerms, TermCode } from "./term-tail.ts";

/**
 * A block of the index is a hash. A term that many of its entries bear has a field of its own, with their places; the
 * others are scattered over as many fields as this, each of which a look has to read as a whole: some 70 of them.
 */
const BUCKETS = 512;
const BUCKET_SHIFT = 15;

/** Entries from which on a term has a field of its own. */
const COMMON = 64;

/** Bytes of a term in a bucket: its two halves of three bytes each, big-endian, and a place of two, little-endian. */
const RECORD_BYTES = 8;

/** The field of those terms that few entries bear. */
function bucketField({ high }: TermCode): string {
  return `b${high >>> BUCKET_SHIFT}`;
}

/** Whether a field is one of those. */
export function isBucket(field: string): boolean {
  return field.startsWith("b");
}

/** A term as one number of 48 bits. */
function termNumber(high: number, low: number): number {
  return high * 0x1_00_00_00 + low;
}

/** The field of a term that many entries bear. */
function commonField({ high, low }: TermCode): string {
  return `t${termNumber(high, low).toString(36)}`;
}

/** The fields in which the places of `term` may stand; most often one of them is missing. */
export function fieldsOf(term: TermCode): readonly [common: string, bucket: string] {
  return [commonField(term), bucketField(term)];
}

/** What the records of a term in its bucket begin with. */
export function recordOf({ high, low }: TermCode): Uint8Array {
  const record = new Uint8Array(6);
  setThreeBytes(record, 0, high);
  setThreeBytes(record, 3, low);
  return record;
}

/** The places of `term` from what stands in {@link fieldsOf} it. */
export function placesIn(term: TermCode, common: Places | null, bucket: Uint8Array | null): Places {
  if (common !== null) return common;
  const places: number[] = [];
  for (let at = 0; bucket !== null && at < bucket.length; at += RECORD_BYTES) {
    if (threeBytes(bucket, at) !== term.high || threeBytes(bucket, at + 3) !== term.low) continue;
    const place = (bucket[at + 6] as number) | ((bucket[at + 7] as number) << 8);
    if (places.at(-1) !== place) places.push(place);
  }
  return encodePlaces(places);
}

/** A bucket without the records of `places`, whichever terms they are of. */
export function withoutPlaces(bucket: Uint8Array, places: ReadonlySet<number>): Buffer {
  const kept: Uint8Array[] = [];
  for (let at = 0; at < bucket.length; at += RECORD_BYTES) {
    const place = (bucket[at + 6] as number) | ((bucket[at + 7] as number) << 8);
    if (!places.has(place)) kept.push(bucket.subarray(at, at + RECORD_BYTES));
  }
  return Buffer.concat(kept);
}

/** The block of the entries from index `from` to before `to`: its fields and their values in turn. */
export function encodeBlock(entries: EntryTerms, from: number, to: number): (string | Uint8Array)[] {
  const { numbers, ends, highs, lows } = entries;
  const base = numbers[from] as number;
  const start = from === 0 ? 0 : (ends[from - 1] as number);
  const end = ends[to - 1] as number;
  // Terms of one half are told apart only where they are many: a field of its own does a rare one no harm.
  const borne = new Uint16Array(0x1_00_00);
  for (let term = start; term < end; term++) {
    const half = (lows[term] as number) & 0xffff;
    borne[half] = (borne[half] as number) + 1;
  }
  const isCommon = (term: number) => (borne[(lows[term] as number) & 0xffff] as number) >= COMMON;
  const common = new Map<number, { readonly field: string; readonly places: number[] }>();
  const filled = new Uint32Array(BUCKETS + 1);
  for (let term = start; term < end; term++) {
    const bucket = (highs[term] as number) >>> BUCKET_SHIFT;
    if (!isCommon(term)) filled[bucket + 1] = (filled[bucket + 1] as number) + RECORD_BYTES;
  }
  for (let bucket = 1; bucket <= BUCKETS; bucket++) {
    filled[bucket] = (filled[bucket] as number) + (filled[bucket - 1] as number);
  }
  const records = new Uint8Array(filled[BUCKETS] as number);
  for (let i = from, term = start; i < to; i++) {
    const place = (numbers[i] as number) - base;
    for (const last = ends[i] as number; term < last; term++) {
      const high = highs[term] as number;
      const low = lows[term] as number;
      if (isCommon(term)) {
        const known = common.get(termNumber(high, low));
        if (known === undefined)
          common.set(termNumber(high, low), { field: commonField({ high, low }), places: [place] });
        else if (known.places.at(-1) !== place) known.places.push(place);
        continue;
      }
      const bucket = high >>> BUCKET_SHIFT;
      const at = filled[bucket] as number;
      // Where each bucket begins becomes where it ends.
      filled[bucket] = at + RECORD_BYTES;
      setThreeBytes(records, at, high);
      setThreeBytes(records, at + 3, low);
      records[at + 6] = place & 0xff;
      records[at + 7] = place >>> 8;
    }
  }
  const fields: (string | Uint8Array)[] = [];
  for (const { field, places } of common.values()) fields.push(field, encodePlaces(places));
  for (let bucket = 0, begin = 0; bucket < BUCKETS; begin = filled[bucket++] as number) {
    const finish = filled[bucket] as number;
    if (finish > begin) fields.push(`b${bucket}`, records.subarray(begin, finish));
  }
  return fields;
}

function threeBytes(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number);
}

function setThreeBytes(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 16;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value;
}
