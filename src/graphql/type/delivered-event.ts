import type { DeliveredEvent } from "../../event/event.ts";
import type { EntryOf } from "../../event/live-entry.ts";
import { builder } from "../builder.ts";
import { eventInterface } from "./event.ts";

builder.objectRef<EntryOf<DeliveredEvent>>("DeliveredEvent").implement({
  description: "The recipient's server has accepted the message (type `delivered`).",
  interfaces: [eventInterface],
  fields: (t) => ({
    diag: t.string({
      description: "What the recipient's server answered: `250 OK`, for instance.",
      resolve: ({ event }) => event.diag,
    }),
  }),
});
