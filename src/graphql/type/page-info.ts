import { queryBuilder } from "../builder.ts";
import { type EventPage, hasPreviousMatch } from "../event-page.ts";

export const pageInfoObject = queryBuilder.objectRef<EventPage>("PageInfo").implement({
  description: "Where a page of events begins and ends, as the Relay cursor connection specification defines it.",
  fields: (t) => ({
    hasNextPage: t.boolean({
      description:
        "Whether there may be a next page: ask for it with `after: endCursor`. A search that matches seldom can " +
        "answer with few nodes, or none, and still have a next page, because one request examines a limited number " +
        "of events.",
      nullable: false,
      resolve: ({ page }) => page.hasMore,
    }),
    hasPreviousPage: t.boolean({
      description: "Whether there are matching events before this page.",
      nullable: false,
      resolve: (page, _args, { eventLog }) => hasPreviousMatch(page, eventLog),
    }),
    startCursor: t.field({
      description: "The cursor of the first node. Null where there is none.",
      type: "Cursor",
      resolve: ({ entries }) => entries[0]?.cursor,
    }),
    endCursor: t.field({
      description:
        "The cursor from which the next page goes on: where the search stopped, even if nothing matched there. Where " +
        "no page follows, that of the last node, or null.",
      type: "Cursor",
      // How far a search went that found nothing more would tell of events that the viewer may not see.
      resolve: ({ page, entries }) => (page.hasMore ? page.end : entries.at(-1)?.cursor),
    }),
  }),
});
