import { copyFile, mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { canonicalContent, eventIds } from "../../src/event/event-id.ts";
import { LOG_FILE } from "../../src/event-log/sqlite/sqlite-event-log.ts";
import { eventOf } from "./audience.ts";
import { Eras, type History } from "./history.ts";

export interface SqliteRecorder extends History {
  /** Records all that the file holds. No instance runs. */
  look(): Promise<void>;
}

/** Copies a log that no instance has open, its write-ahead log with it. */
export async function copyLog(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  const files = (await readdir(from)).filter((file) => file.startsWith(LOG_FILE));
  await Promise.all(files.map((file) => copyFile(join(from, file), join(to, file))));
}

/**
 * The file is its instance's alone: it is read, as a copy, when no instance runs. Of what has been trimmed by then the
 * file knows the number, the tag and the id, for as long as it would know the event if it came again.
 */
export function recordSqlite(dataDir: string): SqliteRecorder {
  const eras = new Eras();
  const messageIds = new Map<string, string>();

  async function look(): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), "mandrill-live-copy-"));
    try {
      await copyLog(dataDir, folder);
      const file = new DatabaseSync(join(folder, LOG_FILE));
      try {
        readAll(file);
      } finally {
        file.close();
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  function readAll(file: DatabaseSync): void {
    const meta = file.prepare("SELECT epoch, cursor_key AS key FROM meta").get() as { epoch: string; key: Uint8Array };
    eras.identify(meta.epoch, meta.key);
    const { entries } = eras.current;
    const rows = file.prepare("SELECT number, tag, id FROM entries WHERE number > ? ORDER BY number");
    for (const row of rows.all(entries.length)) {
      const { number, tag, id } = row as { number: number; tag: string; id: string };
      const messageId = messageIds.get(id);
      if (messageId === undefined)
        throw new Error(`entry ${number} has an id that nothing has which was posted: ${id}`);
      eras.add(number, { tag, messageId });
    }
    for (const row of file.prepare("SELECT number, stored FROM events WHERE stored IS NOT NULL").all()) {
      const { number, stored } = row as { number: number; stored: string };
      const { messageId } = entries[number - 1] ?? {};
      if (!stored.includes(`"_id":"${messageId}"`)) throw new Error(`entry ${number} is ${stored}, not ${messageId}`);
    }
  }

  return {
    eras,
    announce(posted) {
      for (const messageId of posted) {
        const content = canonicalContent(JSON.parse(JSON.stringify(eventOf(messageId))));
        for (const id of eventIds([content as string])) messageIds.set(id, messageId);
      }
    },
    async keepUp() {},
    look,
    finish: look,
    failed: new Promise(() => {}),
  };
}
