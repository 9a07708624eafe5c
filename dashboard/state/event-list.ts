import type { EventRowFragment } from "../generated/graphql.ts";

/** How many rows a page that stands open all day keeps; what is older is fetched again when somebody scrolls to it. */
export const MOST_ROWS = 5_000;

/** The rows of the list, newest first: those that are shown, and those that wait while somebody reads. Immutable. */
export interface EventList {
  readonly rows: readonly EventRowFragment[];
  /** Newest first too. */
  readonly held: readonly EventRowFragment[];
  /** Whether the log may hold more that is older than the last row. */
  readonly hasOlder: boolean;
}

export const EMPTY_LIST: EventList = { rows: [], held: [], hasOlder: false };

/** With what has arrived, newest first: in its place, or held back. */
export function withArrived(list: EventList, arrived: readonly EventRowFragment[], isHeld: boolean): EventList {
  // Of more than that the oldest go, and on release the rows below them: what is listed stays without a hole.
  if (isHeld) return { ...list, held: [...arrived, ...list.held].slice(0, MOST_ROWS) };
  return trimmed({ ...list, rows: [...arrived, ...list.rows] });
}

/** With what was held back in its place. */
export function released(list: EventList): EventList {
  return list.held.length === 0 ? list : trimmed({ ...list, rows: [...list.held, ...list.rows], held: [] });
}

/** With a page of what is older. */
export function withOlder(list: EventList, older: readonly EventRowFragment[], hasOlder: boolean): EventList {
  return { ...list, rows: [...list.rows, ...older], hasOlder };
}

function trimmed(list: EventList): EventList {
  return list.rows.length <= MOST_ROWS ? list : { ...list, rows: list.rows.slice(0, MOST_ROWS), hasOlder: true };
}
