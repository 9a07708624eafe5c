import type { ClickEvent } from "../../event/event.ts";
import type { EntryOf } from "../../event/live-entry.ts";
import { builder } from "../builder.ts";
import { engagementEventInterface } from "./engagement-event.ts";
import { eventInterface } from "./event.ts";

builder.objectRef<EntryOf<ClickEvent>>("ClickEvent").implement({
  description: "The recipient has clicked a link in the message (type `click`).",
  interfaces: [eventInterface, engagementEventInterface],
  fields: (t) => ({
    url: t.string({
      description: "The address that the link leads to.",
      resolve: ({ event }) => event.url,
    }),
  }),
});
