import type { BounceEvent } from "../../event/event.ts";
import type { EntryOf } from "../../event/live-entry.ts";
import { builder } from "../builder.ts";
import { eventInterface } from "./event.ts";

builder.objectRef<EntryOf<BounceEvent>>("BounceEvent").implement({
  description:
    "The recipient's server has refused the message: for good (type `hard_bounce`) or for now (type `soft_bounce`).",
  interfaces: [eventInterface],
  fields: (t) => ({
    diag: t.string({
      description: "What the recipient's server answered.",
      resolve: ({ event }) => event.diag,
    }),
    description: t.string({
      description: "Mandrill's short name of the reason: `bad_mailbox` or `mailbox_full`, for instance.",
      resolve: ({ event }) => event.description,
    }),
    code: t.int({
      description: "Mandrill's numeric code of the reason (`bgtools_code`): 10 or 22, for instance.",
      resolve: ({ event }) => event.code,
    }),
  }),
});
