import { type ExecutionResult, execute, type GraphQLSchema } from "graphql";
import { UNSCOPED } from "../access/scope.ts";
import { cursorUnknown } from "../error.ts";
import type { Entry } from "../event/entry.ts";
import type { LiveEntry } from "../event/live-entry.ts";
import type { EventLog } from "../event-log/event-log.ts";
import type { EventContext } from "./context.ts";
import { wholeEventDocument } from "./whole-event.ts";

/** Which events are exported: by receivedAt, milliseconds since the Unix epoch, or by place. */
export interface ExportSpan {
  /** Inclusive. @default the oldest event held */
  readonly since?: number | undefined;
  /** Exclusive. @default what is there when the export begins */
  readonly until?: number | undefined;
  /** A cursor: only what came later. */
  readonly after?: string | undefined;
}

/** Entries that are read, and lines that are handed on, at once: some milliseconds, for which listeners wait. */
const PAGE_ENTRIES = 100;

/**
 * The events of `span` as lines of JSON, each an event with the schema's field names, oldest first and some at a time:
 * nothing is read before what was read is taken. Rejects with CURSOR_UNKNOWN or CURSOR_EXPIRED where `after` is no place
 * of this log, or is trimmed, and with CURSOR_EXPIRED where trimming overtakes the export.
 */
export async function* exportEvents(
  eventLog: EventLog,
  schema: GraphQLSchema,
  { since = 0, until = Number.POSITIVE_INFINITY, after }: ExportSpan,
): AsyncGenerator<{ readonly lines: string; readonly count: number }> {
  const lineOf = createLines(schema);
  const end = await eventLog.head();
  let from = after === undefined ? undefined : await eventLog.positionOf(after);
  if (from === null) throw cursorUnknown(null, end.cursor);
  for (;;) {
    const page = await eventLog.find({ filter: [], order: "oldest-first", limit: PAGE_ENTRIES, from });
    const wanted = page.entries.filter(
      ({ number, receivedAt }) => number <= end.number && receivedAt >= since && receivedAt < until,
    );
    if (wanted.length > 0) yield { lines: wanted.map(lineOf).join(""), count: wanted.length };
    const last = page.entries.at(-1);
    const isOver = last !== undefined && (last.number >= end.number || last.receivedAt >= until);
    if (!page.hasMore || isOver || page.end === null) return;
    from = await eventLog.positionOf(page.end);
    if (from === null) throw cursorUnknown(null, end.cursor);
  }
}

function createLines(schema: GraphQLSchema): (entry: Entry) => string {
  const document = wholeEventDocument(schema, true);
  const contextValue: EventContext = { scope: UNSCOPED };
  return (entry) => {
    // The schema has no asynchronous field below Subscription, and no field of an event throws.
    const result = execute({ schema, document, contextValue, rootValue: entry as LiveEntry }) as ExecutionResult;
    if (result.errors !== undefined) throw result.errors[0];
    return `${JSON.stringify(result.data?.eventReceived)}\n`;
  };
}
