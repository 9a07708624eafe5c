import type { EventType } from "../generated/graphql.ts";
import { type Cell, createCell } from "./cell.ts";
import { EVENT_TYPES } from "./event-types.ts";

/** Which events are listed. */
export interface Filter {
  /** In the order of {@link EVENT_TYPES}; empty: all. */
  readonly types: readonly EventType[];
  readonly email: string;
  readonly tag: string;
}

/** What is looked at: a message with all its events, or an event that belongs to none. */
export type Picked = { readonly kind: "message" | "event"; readonly id: string } | null;

/** All that the page's address keeps, so that a link shows somebody else the same. */
export interface View {
  readonly filter: Filter;
  readonly picked: Picked;
}

export const NO_FILTER: Filter = { types: [], email: "", tag: "" };

export function isFiltered({ types, email, tag }: Filter): boolean {
  return types.length > 0 || email !== "" || tag !== "";
}

export interface ViewLink {
  readonly view: Pick<Cell<View>, "get" | "subscribe">;
  filter(change: Partial<Filter>): void;
  pick(picked: Picked): void;
}

/** The view that the page's address tells of, kept in step with it both ways. */
export function createViewLink(): ViewLink {
  const view = createCell(viewIn(location.search));
  addEventListener("popstate", () => {
    const next = viewIn(location.search);
    // A link within the page changes the address too, and nothing of what is shown.
    if (searchOf(next) !== searchOf(view.get())) view.set(next);
  });
  const go = (next: View): void => {
    const search = searchOf(next);
    if (search === searchOf(view.get())) return;
    history.pushState(null, "", `${location.pathname}${search}`);
    view.set(next);
  };
  return {
    view,
    filter(change) {
      const { filter, picked } = view.get();
      go({ filter: { ...filter, ...change }, picked });
    },
    pick: (picked) => go({ ...view.get(), picked }),
  };
}

function viewIn(search: string): View {
  const query = new URLSearchParams(search);
  const types = new Set((query.get("types") ?? "").split(","));
  const text = (name: string): string => query.get(name)?.trim() ?? "";
  const [message, event] = [text("message"), text("event")];
  return {
    filter: { types: EVENT_TYPES.filter((type) => types.has(type)), email: text("email"), tag: text("tag") },
    picked: pickedOf(message, event),
  };
}

function pickedOf(message: string, event: string): Picked {
  if (message !== "") return { kind: "message", id: message };
  return event === "" ? null : { kind: "event", id: event };
}

function searchOf({ filter, picked }: View): string {
  const query = new URLSearchParams();
  if (filter.types.length > 0) query.set("types", EVENT_TYPES.filter((type) => filter.types.includes(type)).join(","));
  if (filter.email !== "") query.set("email", filter.email);
  if (filter.tag !== "") query.set("tag", filter.tag);
  if (picked !== null) query.set(picked.kind, picked.id);
  // Commas and @ may stand in a query as they are, and are easier to read so.
  const text = query.toString().replaceAll("%2C", ",").replaceAll("%40", "@");
  return text === "" ? "" : `?${text}`;
}
