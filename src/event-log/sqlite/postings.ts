import type { StatementSync } from "node:sqlite";
import { appendPlaces, BLOCK_SIZE, blockOf, encodePlaces, listPlaces, type Places, placeOf } from "../places.ts";
import type { LogFile } from "./log-file.ts";
import { decodeTerms, type Term } from "./terms.ts";

/** One row of the index: which places of a block bear a term. */
export interface Posting {
  readonly block: number;
  readonly places: Places;
}

/** The index: which entries bear which term. */
export interface Postings {
  /** Notes that entry `number` bears `terms`; numbers ascend. Written by {@link flush}. */
  add(number: number, terms: readonly Term[]): void;
  flush(): void;
  /** Leaves out what was added and not flushed. */
  discard(): void;
  /** Removes the rows that stand for none but the given entries and older ones. */
  remove(entries: readonly { readonly number: number; readonly terms: string }[]): void;
  /** Takes entries, whichever they are, out of the rows of their terms. */
  take(entries: readonly { readonly number: number; readonly terms: readonly Term[] }[]): void;
  /** The row of `term` at `block`, else the nearest before it; up to `limit` rows from there on, descending. */
  atOrBelow(term: Term, block: number, limit: number): readonly Posting[];
  /** The row of `term` at `block`, else the nearest after it; up to `limit` rows from there on, ascending. */
  atOrAbove(term: Term, block: number, limit: number): readonly Posting[];
}

/** A field's code has one digit, so that the rest is the value, whatever characters it has. */
function keyOf({ field, value }: Term, block: number): string {
  return `${block}:${field}${value}`;
}

export function createPostings({ database, state }: LogFile): Postings {
  const select = database.prepare("SELECT places FROM postings WHERE field = ? AND value = ? AND block = ?");
  const upsert = database.prepare(
    `INSERT INTO postings (field, value, block, last, places) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET last = excluded.last, places = excluded.places`,
  );
  // Entries go oldest first, so a row may go with the last entry that stands in it.
  const deleteRow = database.prepare("DELETE FROM postings WHERE field = ? AND value = ? AND block = ?");
  const drop = database.prepare("DELETE FROM postings WHERE field = ? AND value = ? AND block = ? AND last <= ?");
  const nearest = (direction: string) =>
    database.prepare(`SELECT block, places FROM postings WHERE field = ? AND value = ? AND block ${direction} LIMIT ?`);
  const below = nearest("<= ? ORDER BY block DESC");
  const above = nearest(">= ? ORDER BY block");
  const pending = new Map<string, { term: Term; block: number; places: number[] }>();
  const cache = createRowCache((block) => (block + 1) * BLOCK_SIZE <= state.number);

  function rows(statement: StatementSync, term: Term, block: number, limit: number): readonly Posting[] {
    const cached = cache.get(keyOf(term, block));
    if (cached !== undefined) return [cached];
    const found = statement.all(term.field, term.value, block, limit) as unknown as Posting[];
    for (const row of found) cache.offer(keyOf(term, row.block), row);
    return found;
  }

  return {
    add(number, terms) {
      const block = blockOf(number);
      const place = placeOf(number);
      for (const term of terms) {
        const key = keyOf(term, block);
        const known = pending.get(key);
        if (known === undefined) pending.set(key, { term, block, places: [place] });
        else known.places.push(place);
      }
    },
    flush() {
      for (const { term, block, places } of pending.values()) {
        const known = select.get(term.field, term.value, block)?.places as Places | undefined;
        const added = encodePlaces(places);
        const last = places.at(-1) as number;
        upsert.run(term.field, term.value, block, last, known === undefined ? added : appendPlaces(known, added));
      }
      pending.clear();
    },
    discard: () => pending.clear(),
    remove(entries) {
      const latest = new Map<string, { term: Term; number: number }>();
      for (const { number, terms } of entries) {
        for (const term of decodeTerms(terms)) latest.set(keyOf(term, blockOf(number)), { term, number });
      }
      for (const { term, number } of latest.values()) {
        drop.run(term.field, term.value, blockOf(number), placeOf(number));
      }
    },
    take(entries) {
      const taken = new Map<string, { term: Term; block: number; places: Set<number> }>();
      for (const { number, terms } of entries) {
        const block = blockOf(number);
        for (const term of terms) {
          const key = keyOf(term, block);
          const known = taken.get(key);
          if (known === undefined) taken.set(key, { term, block, places: new Set([placeOf(number)]) });
          else known.places.add(placeOf(number));
        }
      }
      for (const [key, { term, block, places }] of taken) {
        const row = [term.field, term.value, block] as const;
        const known = select.get(...row)?.places as Places | undefined;
        if (known === undefined) continue;
        cache.forget(key);
        const left = listPlaces(known).filter((place) => !places.has(place));
        const last = left.at(-1);
        if (last === undefined) deleteRow.run(...row);
        else upsert.run(...row, last, encodePlaces(left));
      }
    },
    atOrBelow: (term, block, limit) => rows(below, term, block, limit),
    atOrAbove: (term, block, limit) => rows(above, term, block, limit),
  };
}

/** Rows kept in memory: 8 MB at the most. */
const CACHED_ROWS = 4_096;
/** Bytes from which a row is kept: of common terms, which are read again and again, and all along the log. */
const CACHED_BYTES = 256;

interface RowCache {
  get(key: string): Posting | undefined;
  offer(key: string, row: Posting): void;
  forget(key: string): void;
}

/**
 * Keeps the large rows that were used last, of the blocks that are full: nothing is added to those. Whoever takes a
 * place out of a row has to take the row out of here.
 */
function createRowCache(isFull: (block: number) => boolean): RowCache {
  const rows = new Map<string, Posting>();
  return {
    get(key) {
      const row = rows.get(key);
      if (row === undefined) return undefined;
      // A Map keeps the order of insertion: its first key is the one used longest ago.
      rows.delete(key);
      rows.set(key, row);
      return row;
    },
    offer(key, row) {
      if (row.places.length < CACHED_BYTES || !isFull(row.block)) return;
      rows.set(key, row);
      if (rows.size > CACHED_ROWS) rows.delete(rows.keys().next().value as string);
    },
    forget: (key) => void rows.delete(key),
  };
}
