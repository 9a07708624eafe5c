import type { RejectEvent } from "../../event/event.ts";
import type { EntryOf } from "../../event/live-entry.ts";
import { builder } from "../builder.ts";
import { eventInterface } from "./event.ts";

builder.objectRef<EntryOf<RejectEvent>>("RejectEvent").implement({
  description: "Mandrill has not sent the message (type `reject`).",
  interfaces: [eventInterface],
  fields: (t) => ({
    reason: t.string({
      description: "Why: `hard-bounce`, `spam` or `unsub`, for instance.",
      resolve: ({ event }) => event.reason,
    }),
  }),
});
