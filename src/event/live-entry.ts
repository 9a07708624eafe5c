import type { Entry } from "./entry.ts";
import type { Event } from "./event.ts";

/** An entry whose event was not erased, and is an `E`: the source of the GraphQL type of that event. */
export type EntryOf<E extends Event> = Entry & { readonly event: E };

/** An entry whose event was not erased: the source of `Event`, and the root value of a subscription's execution. */
export type LiveEntry = EntryOf<Event>;

/** Whether the entry's event is still there. */
export function isLive(entry: Entry): entry is LiveEntry {
  return !entry.isErased;
}
