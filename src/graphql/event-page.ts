import { scopeFilter, seesEveryEvent } from "../access/scope.ts";
import { cursorUnknown } from "../error.ts";
import type { Position } from "../event/cursor.ts";
import type { EventFilter } from "../event/event-filter.ts";
import { isLive, type LiveEntry } from "../event/live-entry.ts";
import type { EventLog, FindPage, FindQuery } from "../event-log/event-log.ts";
import type { QueryContext } from "./context.ts";

/** One page of matching events: the source of `EventConnection` and its `PageInfo`. */
export interface EventPage {
  readonly query: FindQuery;
  readonly page: FindPage;
  readonly entries: readonly LiveEntry[];
}

/**
 * How often a search goes on that was broken off, where some events are hidden from its viewer: a page that ends early
 * would tell of them. A hundred thousand events in all, which is what a log keeps unless it is told to keep more.
 */
const MAX_SEARCHES = 10;

/** What a field asks for; cursors as the client gave them. */
export interface EventPageRequest {
  readonly filter: EventFilter;
  readonly order: FindQuery["order"];
  readonly limit: number;
  readonly after?: string | null | undefined;
  readonly since?: string | null | undefined;
}

/** Reads the page that `request` asks for, of what the viewer's scope allows. */
export async function readEventPage(request: EventPageRequest, { eventLog, scope }: QueryContext): Promise<EventPage> {
  const query: FindQuery = {
    filter: [...request.filter, ...scopeFilter(scope)],
    order: request.order,
    limit: request.limit,
    from: await positionOf(eventLog, request.after),
    since: await positionOf(eventLog, request.since),
  };
  const page = seesEveryEvent(scope) ? await eventLog.find(query) : await findThrough(query, eventLog);
  return { query, page, entries: page.entries.filter(isLive) };
}

/** Searches on until the page is full or there is nothing more; with the head of the first search. */
async function findThrough(query: FindQuery, eventLog: EventLog): Promise<FindPage> {
  let page = await eventLog.find(query);
  for (let searches = 1; page.hasMore && page.entries.length < query.limit && searches < MAX_SEARCHES; searches += 1) {
    const from = await positionOf(eventLog, page.end);
    if (from === undefined) break;
    const { entries, hasMore, end } = await eventLog.find({ ...query, limit: query.limit - page.entries.length, from });
    page = { entries: [...page.entries, ...entries], hasMore, end: end ?? page.end, head: page.head };
  }
  return page;
}

/** Whether the log holds matches before the page, in the page's order: those at its `after` and before it. */
export async function hasPreviousMatch({ query }: EventPage, eventLog: EventLog): Promise<boolean> {
  if (query.from === undefined) return false;
  const { filter, order, since } = query;
  const [first] = (await eventLog.find({ filter, order, since, limit: 1 })).entries;
  if (first === undefined) return false;
  return order === "newest-first" ? first.number >= query.from.number : first.number <= query.from.number;
}

async function positionOf(eventLog: EventLog, cursor: string | null | undefined): Promise<Position | undefined> {
  if (cursor == null) return undefined;
  const position = await eventLog.positionOf(cursor);
  if (position !== null) return position;
  const { entries, head } = await eventLog.find({ filter: [], order: "oldest-first", limit: 1 });
  throw cursorUnknown(entries[0]?.cursor ?? null, head.cursor);
}
