import { randomBytes } from "node:crypto";
import { minuteOf } from "../event-counts.ts";
import type { LogLimits } from "../event-log.ts";
import type { LogFile, LogState } from "./log-file.ts";
import type { MinuteCounts } from "./minute-counts.ts";
import type { Postings } from "./postings.ts";
import type { Retention } from "./retention.ts";
import type { AppendBatch, AppendReply } from "./store-calls.ts";
import { decodeTerms, FIELD_CODES } from "./terms.ts";

const TAG_BYTES = 6;
const TAG_LENGTH = 8;

/** Appends batches in order, all in one transaction, with the result of each as if it had come alone. */
export type Append = (batches: readonly AppendBatch[]) => AppendReply[];

export function createAppend(
  file: LogFile,
  limits: LogLimits,
  postings: Postings,
  counts: MinuteCounts,
  retention: Retention,
): Append {
  const newestOfId = file.database.prepare(
    "SELECT number, received_at FROM entries WHERE id = ? ORDER BY number DESC LIMIT 1",
  );
  const insertEntry = file.database.prepare("INSERT INTO entries (number, tag, received_at, id) VALUES (?, ?, ?, ?)");
  const insertEvent = file.database.prepare("INSERT INTO events (number, terms, stored) VALUES (?, ?, ?)");

  function isKnown(id: string, now: number, head: number): boolean {
    const known = newestOfId.get(id) as { number: number; received_at: number } | undefined;
    return (
      known !== undefined &&
      known.number > head - limits.deduplicationEvents &&
      known.received_at > now - limits.deduplicationMs
    );
  }

  function appendBatch({ ids, terms, stored }: AppendBatch, draft: LogState): AppendReply {
    const now = Math.max(Date.now(), draft.receivedAt);
    const follows = { epoch: draft.epoch, number: draft.number, tag: draft.tag };
    const randomness = randomBytes(ids.length * TAG_BYTES).toString("base64url");
    const appended: number[] = [];
    const tags: string[] = [];
    for (const [i, id] of ids.entries()) {
      if (isKnown(id, now, draft.number)) continue;
      const tag = randomness.slice(i * TAG_LENGTH, (i + 1) * TAG_LENGTH);
      const encodedTerms = terms[i] as string;
      draft.number += 1;
      draft.tag = tag;
      draft.receivedAt = now;
      insertEntry.run(draft.number, tag, now, id);
      insertEvent.run(draft.number, encodedTerms, stored[i] as string);
      const decoded = decodeTerms(encodedTerms);
      postings.add(draft.number, decoded);
      const valueUnder = (field: number) => decoded.find((term) => term.field === field)?.value;
      counts.add(minuteOf(now), valueUnder(FIELD_CODES.type) as string, valueUnder(FIELD_CODES.subaccount));
      appended.push(i);
      tags.push(tag);
    }
    return { appended, tags, receivedAt: now, follows };
  }

  return (batches) => {
    try {
      return file.transaction((draft) => {
        const replies = batches.map((batch) => appendBatch(batch, draft));
        const grown = draft.number - file.state.number;
        postings.flush();
        counts.flush();
        retention.trimByCount(draft);
        // Twice what has come, so that a backlog goes down while no append pays for all of it.
        if (grown > 0) retention.sweep(draft, 2 * grown);
        return replies;
      });
    } catch (error) {
      postings.discard();
      counts.discard();
      throw error;
    }
  };
}
