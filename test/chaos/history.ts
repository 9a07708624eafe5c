import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type CursorCodec, createCursorCodec, ORIGIN_TAG, type Position } from "../../src/event/cursor.ts";
import { createKeys } from "../../src/event-log/redis/keys.ts";
import type { RedisServer } from "../harness/redis-server.ts";

/** Between two looks at the log: no more may be trimmed meanwhile than is kept. Milliseconds. */
const LOOK_INTERVAL = 10;
/** Redis takes no writes for so long while a copy of it is made, or its end is recorded. Milliseconds. */
const WRITE_PAUSE = 10_000;
/** Where Redis 7 keeps its append-only file. */
const DATA = "appendonlydir";
const COPY = "copy";
/** Of the meta hash: the log's epoch, and what its cursors are written under. */
const IDENTITY = ["epoch", "cursorKey"];

/** In whatever form an event is kept, what Mandrill sent is part of it. */
const MESSAGE_ID = /"_id":"([\w-]+)"/;

/** What the log held, in its order, from its making to the moment in which Redis lost it. */
export interface Era {
  /** `entries[n - 1]` is number n. */
  readonly entries: readonly LoggedEntry[];
  /** Every epoch that it has had, in their order. */
  readonly epochs: ReadonlySet<string>;
  /** Whether it began as a copy of an earlier state, so that its first entries are those of an older era. */
  readonly isCopy: boolean;
}

export interface LoggedEntry {
  readonly tag: string;
  readonly messageId: string;
}

interface GrowingEra extends Era {
  readonly entries: LoggedEntry[];
  readonly epochs: Set<string>;
  codec: CursorCodec | null;
}

/**
 * Records, from Redis itself, everything that was ever appended: what is destroyed is read in the same breath. So the
 * service's own reading is judged by something else than itself.
 */
export interface History {
  readonly eras: readonly Era[];
  /**
   * Index of the era that Redis is in. While one is ending, that of the next: others may know of it before the recorder
   * does.
   */
  readonly era: number;
  /** The position that a cursor names in any era; null where none has such an entry. */
  locate(cursor: string): Position | null;
  /** FLUSHALL. */
  empty(): Promise<void>;
  restartEmpty(): Promise<void>;
  /** Keeps what Redis holds now for {@link restartFromCopy}. */
  copy(): Promise<void>;
  readonly hasCopy: boolean;
  restartFromCopy(): Promise<void>;
  /** Resolves when everything appended so far is recorded. */
  upToDate(): Promise<void>;
  /** Rejects when something was missed: the run proves nothing then. */
  readonly failed: Promise<never>;
  stop(): Promise<void>;
}

export async function recordHistory(redis: RedisServer, prefix: string): Promise<History> {
  const { client } = redis;
  const keys = createKeys(prefix);
  const [, folder] = (await client.config("GET", "dir")) as [string, string];
  const eras: GrowingEra[] = [newEra()];
  let copied: Pick<GrowingEra, "entries" | "epochs" | "codec"> | null = null;
  let isEnding = false;
  let stopped = false;
  let turn: Promise<unknown> = Promise.resolve();

  const current = (): GrowingEra => eras.at(-1) as GrowingEra;

  /** One after the other: nothing is read while the log changes its era. */
  function exclusively<T>(act: () => Promise<T>): Promise<T> {
    const done = turn.then(act);
    turn = done.catch(() => {});
    return done;
  }

  function note([meta, rows]: readonly unknown[]): void {
    const era = current();
    const [epoch, key] = meta as (string | null)[];
    if (epoch != null && key != null) {
      era.epochs.add(epoch);
      era.codec ??= createCursorCodec(Buffer.from(key, "hex"));
    }
    for (const [id, fields] of rows as [string, string[]][]) {
      const number = Number.parseInt(id, 10);
      const next = era.entries.length + 1;
      if (number !== next)
        throw new Error(`the recorder found entry ${number} of era ${eras.length - 1} where ${next} was due`);
      era.entries.push({ tag: fields[1] as string, messageId: MESSAGE_ID.exec(fields[5] as string)?.[1] ?? "" });
    }
  }

  const unread = () => `${current().entries.length + 1}-0`;

  /** Two plain commands: a transaction is refused while memory is full. */
  async function look(): Promise<void> {
    note(await Promise.all([client.hmget(keys.meta, ...IDENTITY), client.xrange(keys.entries, unread(), "+")]));
  }

  function begin(era: GrowingEra): void {
    eras.push(era);
    isEnding = false;
  }

  async function keepLooking(): Promise<void> {
    while (!stopped) {
      await exclusively(look);
      await pause(LOOK_INTERVAL);
    }
  }

  /** Lets nothing be written from the last look on. */
  async function frozen(act: () => Promise<void>): Promise<void> {
    await client.call("CLIENT", "PAUSE", WRITE_PAUSE, "WRITE");
    await look();
    await act();
  }

  async function restartWith(prepare: () => Promise<void>, era: GrowingEra): Promise<void> {
    await frozen(async () => {
      isEnding = true;
      await redis.kill();
      await rm(join(folder, DATA), { recursive: true, force: true });
      await prepare();
      begin(era);
      await redis.restart();
    });
  }

  const looking = keepLooking();
  const failed = looking.then(() => new Promise<never>(() => {}));
  failed.catch(() => {});
  return {
    eras,
    get era() {
      return eras.length - (isEnding ? 0 : 1);
    },
    locate(cursor) {
      for (const { codec, epochs, entries } of eras.toReversed()) {
        const position = codec?.decode(cursor) ?? null;
        if (position === null || !epochs.has(position.epoch)) continue;
        const tag = position.number === 0 ? ORIGIN_TAG : entries[position.number - 1]?.tag;
        if (tag === position.tag) return position;
      }
      return null;
    },
    empty: () =>
      exclusively(async () => {
        const last = client
          .multi()
          .hmget(keys.meta, ...IDENTITY)
          .xrange(keys.entries, unread(), "+")
          .flushall();
        isEnding = true;
        note(resultsOf(await last.exec()));
        begin(newEra());
      }),
    restartEmpty: () => exclusively(() => restartWith(async () => {}, newEra())),
    copy: () =>
      exclusively(() =>
        frozen(async () => {
          await rm(join(folder, COPY), { recursive: true, force: true });
          await cp(join(folder, DATA), join(folder, COPY), { recursive: true });
          const { entries, epochs, codec } = current();
          copied = { entries: [...entries], epochs: new Set([...epochs].slice(-1)), codec };
          await client.call("CLIENT", "UNPAUSE");
        }),
      ),
    get hasCopy() {
      return copied !== null;
    },
    restartFromCopy: () =>
      exclusively(async () => {
        if (copied === null) throw new Error("there is no copy");
        const era = { ...copied, entries: [...copied.entries], epochs: new Set(copied.epochs), isCopy: true };
        await restartWith(() => cp(join(folder, COPY), join(folder, DATA), { recursive: true }), era);
      }),
    upToDate: () => exclusively(look),
    failed,
    async stop() {
      stopped = true;
      await looking;
    },
  };
}

function newEra(): GrowingEra {
  return { entries: [], epochs: new Set(), isCopy: false, codec: null };
}

function resultsOf(replies: [Error | null, unknown][] | null): readonly unknown[] {
  return (replies ?? []).map(([error, reply]) => {
    if (error !== null) throw error;
    return reply;
  });
}
