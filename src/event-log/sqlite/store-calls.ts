import type { Position } from "../../event/cursor.ts";
import type { WebhookRequest } from "../../event/webhook-request.ts";
import type { CountQuery, CountRow, FindQuery, MarkedEntry, ReadLimit, RevokedTokens } from "../event-log.ts";

/** Events on their way to the file: one element of each array is one event, in the order of the batch. */
export interface AppendBatch {
  readonly ids: readonly string[];
  /** As `encodeTerms` writes them. */
  readonly terms: readonly string[];
  /** As the log's `StoredForm` writes them. */
  readonly stored: readonly string[];
}

export interface AppendReply {
  /** Indexes in the batch of the events that were appended, ascending. */
  readonly appended: readonly number[];
  /** Their tags, in the same order; their numbers follow `follows` without a hole. */
  readonly tags: readonly string[];
  readonly receivedAt: number;
  /** The position before the first of them. */
  readonly follows: Position;
}

/** An entry as it leaves the file. */
export interface StoredEntry {
  readonly number: number;
  readonly tag: string;
  readonly receivedAt: number;
  /** null where the event was erased. */
  readonly stored: string | null;
}

export interface StoredHead extends Position {
  readonly oldest: number;
}

export interface StoredChunk {
  readonly entries: readonly StoredEntry[];
  readonly head: StoredHead;
}

export interface StoredPage extends StoredChunk {
  readonly hasMore: boolean;
  readonly end: Position | null;
}

/** What the main thread may ask of the worker: each by its own name, its arguments and its result as plain data. */
export interface StoreCalls {
  /** Opens the file, unless it is open; answers the key of its cursors. */
  open(): Uint8Array;
  append(batch: AppendBatch): AppendReply;
  read(position: Position, limit: ReadLimit): StoredChunk;
  head(): StoredHead;
  find(query: FindQuery): StoredPage;
  findById(id: string): (StoredEntry & { readonly epoch: string }) | null;
  count(query: CountQuery): readonly CountRow[];
  recordRequests(requests: readonly WebhookRequest[]): void;
  requests(limit: number): readonly WebhookRequest[];
  renewEpoch(known: string): string;
  revoke(tokenId: string, until: number): void;
  revokedTokens(known: string | null): RevokedTokens | null;
  /** Erases some of the events of `email` up to number `to`; none where there are none any more. */
  erase(email: string, to: number): readonly MarkedEntry[];
  /** Removes every byte of what was deleted from the file; everything else waits. */
  scrub(): void;
  /** Trims by age. */
  trim(): number;
  /** Frees some of the space of trimmed entries; answers whether there is more of it. */
  sweep(): boolean;
  check(): void;
  /** Copies the log, as it is at the end of that, to `file`, which must not be there; appends go on meanwhile. */
  backup(file: string): Promise<void>;
  close(): void;
}
