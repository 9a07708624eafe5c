import type { LiveEntry } from "../../event/live-entry.ts";
import { queryBuilder } from "../builder.ts";
import { eventInterface } from "./event.ts";

export const eventEdgeObject = queryBuilder.objectRef<LiveEntry>("EventEdge").implement({
  description: "An event in a page of events, with its cursor.",
  fields: (t) => ({
    cursor: t.field({
      description: "The event's place in the log, the same as `node.cursor`.",
      type: "Cursor",
      nullable: false,
      resolve: (entry) => entry.cursor,
    }),
    node: t.field({
      description: "The event.",
      type: eventInterface,
      nullable: false,
      resolve: (entry) => entry,
    }),
  }),
});
