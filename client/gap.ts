import type { SubscribePayload } from "graphql-ws/client";

/** What an operation has missed for good, and from where it can go on. */
export interface Gap {
  /**
   * - `CURSOR_EXPIRED`: the log has trimmed what followed `after`. Lost is what came between, up to and including the
   *   entry that `oldest` names.
   * - `CURSOR_UNKNOWN`: the log is not the one that `after` was of (emptied, restored, failed over), or `after` was no
   *   cursor at all. What was lost cannot be told, and what the new log holds may have been delivered already.
   */
  readonly code: "CURSOR_EXPIRED" | "CURSOR_UNKNOWN";
  /** The operation as the application gave it. */
  readonly operation: SubscribePayload;
  /** The cursor up to which everything has been delivered. */
  readonly after: string | undefined;
  /** Cursor of the oldest entry that the log still holds; null where the server did not tell. */
  readonly oldest: string | null;
  /** Cursor of the log's newest entry; null where the server did not tell. */
  readonly head: string | null;
  /** How the operation goes on unless `onGap` answers otherwise: behind `oldest` if it expired, else behind `head`. */
  readonly goesOn: "oldest" | "head";
}

/**
 * How an operation goes on after a {@link Gap}: behind `gap.oldest`, behind `gap.head`, behind a cursor of the
 * application's own (the `head` of a `recentEvents` that it has just fetched), or not at all: with `"end"` its sink
 * gets the server's error.
 */
export type GapAnswer = "oldest" | "head" | "end" | { readonly after: string };

/** An operation that read too slowly has been resumed: nothing is lost. */
export interface Lag {
  /** The operation as the application gave it. */
  readonly operation: SubscribePayload;
  /** The cursor behind which it goes on. */
  readonly after: string | undefined;
}
