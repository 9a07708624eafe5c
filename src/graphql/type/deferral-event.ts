import type { DeferralEvent } from "../../event/event.ts";
import type { EntryOf } from "../../event/live-entry.ts";
import { builder } from "../builder.ts";
import { eventInterface } from "./event.ts";

builder.objectRef<EntryOf<DeferralEvent>>("DeferralEvent").implement({
  description: "The recipient's server has put the message off; Mandrill will try again (type `deferral`).",
  interfaces: [eventInterface],
  fields: (t) => ({
    diag: t.string({
      description: "What the recipient's server answered.",
      resolve: ({ event }) => event.diag,
    }),
  }),
});
