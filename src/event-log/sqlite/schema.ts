/** Version of the tables. Raise it with a step that brings an older file up to it. */
export const SCHEMA_VERSION = 1;

/** Marks the file as ours (https://www.sqlite.org/pragma.html#pragma_application_id): "mlog". */
export const APPLICATION_ID = 0x6d_6c_6f_67;

/**
 * - meta: one row. `oldest_reader` is the lowest schema version whose code may still use this file; `oldest` the
 *   number of the oldest entry held, below which rows are as good as gone; `counts_from` the first minute counted;
 *   `probe` what a check writes.
 * - entries: what is known of a number; kept while the log or the deduplication window needs it, so it is narrow.
 * - events: kept while the log holds the entry. `stored` is null where the event was erased. `terms` stands before
 *   it, so that it can be read without the pages of a large event.
 * - postings: for each term and block of numbers which entries bear it, as a BlockSet, and the last of their places.
 *   A term's rows lie side by side and are small, so that one look finds the next candidates of a rare term, and two
 *   common terms are intersected without reading an event. A larger row would overflow its page, and SQLite reads the
 *   whole of such a row whenever it compares keys with it.
 * - counts: events a minute and type; `scope` 0 counts all of them, `scope` 1 those of one subaccount. `scope` 2
 *   counts those of a minute that were erased, which the others do not: together with `scope` 0 it tells its numbers.
 */
export const SCHEMA = `
  CREATE TABLE meta (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    schema_version INTEGER NOT NULL,
    oldest_reader INTEGER NOT NULL,
    epoch TEXT NOT NULL,
    cursor_key BLOB NOT NULL,
    oldest INTEGER NOT NULL,
    counts_from INTEGER NOT NULL,
    checked_at INTEGER NOT NULL,
    probe BLOB NOT NULL
  ) STRICT;

  CREATE TABLE entries (
    number INTEGER PRIMARY KEY,
    tag TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    id TEXT NOT NULL
  ) STRICT;
  CREATE INDEX entries_by_id ON entries (id);

  CREATE TABLE events (
    number INTEGER PRIMARY KEY,
    terms TEXT NOT NULL,
    stored TEXT
  ) STRICT;

  CREATE TABLE postings (
    field INTEGER NOT NULL,
    value TEXT NOT NULL,
    block INTEGER NOT NULL,
    last INTEGER NOT NULL,
    places BLOB NOT NULL,
    UNIQUE (field, value, block)
  ) STRICT;

  CREATE TABLE counts (
    scope INTEGER NOT NULL,
    subaccount TEXT NOT NULL,
    type TEXT NOT NULL,
    minute INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (scope, subaccount, type, minute)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE requests (
    number INTEGER PRIMARY KEY,
    request TEXT NOT NULL
  ) STRICT;
`;
