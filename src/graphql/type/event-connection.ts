import { queryBuilder } from "../builder.ts";
import type { EventPage } from "../event-page.ts";
import { eventInterface } from "./event.ts";
import { eventEdgeObject } from "./event-edge.ts";
import { pageInfoObject } from "./page-info.ts";

export const eventConnectionObject = queryBuilder.objectRef<EventPage>("EventConnection").implement({
  description: "A page of events. `nodes` has the events themselves; `edges` has them as Relay expects them.",
  fields: (t) => ({
    nodes: t.field({
      description: "The events of this page.",
      type: [eventInterface],
      nullable: false,
      resolve: ({ entries }) => entries,
    }),
    edges: t.field({
      description: "The events of this page, each with its cursor.",
      type: [eventEdgeObject],
      nullable: false,
      resolve: ({ entries }) => entries,
    }),
    pageInfo: t.field({
      description: "Where this page begins and ends, and whether there are others.",
      type: pageInfoObject,
      nullable: false,
      resolve: (page) => page,
    }),
    head: t.field({
      description:
        "The newest place in the log when this page was read, matching or not. Hand it to `eventReceived(after:)` to " +
        "go on live from exactly here: nothing is missed and nothing comes twice.",
      type: "Cursor",
      nullable: false,
      resolve: ({ page }) => page.head.cursor,
    }),
  }),
});
