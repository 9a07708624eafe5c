import type { InboundEvent } from "../../event/event.ts";
import type { EntryOf } from "../../event/live-entry.ts";
import { builder } from "../builder.ts";
import { attachmentObject } from "./attachment.ts";
import { eventInterface } from "./event.ts";

builder.objectRef<EntryOf<InboundEvent>>("InboundEvent").implement({
  description:
    "Mandrill has received mail for one of your inbound routes (type `inbound`). `email` is the address that received " +
    "it.",
  interfaces: [eventInterface],
  fields: (t) => ({
    from: t.string({
      description: "Who sent it: `Name <address>`, or the address alone.",
      resolve: ({ event }) => event.from,
    }),
    to: t.stringList({
      description: "Who stands in the To header: `Name <address>`, or the address alone, each.",
      nullable: false,
      resolve: ({ event }) => event.to,
    }),
    subject: t.string({
      description: "The subject line.",
      resolve: ({ event }) => event.subject,
    }),
    text: t.string({
      description: "The plain text of the mail. Null where it has none, or where you may not see message content.",
      resolve: ({ event }, _args, { scope }) => (scope.raw ? event.text : null),
    }),
    html: t.string({
      description:
        "The HTML of the mail, exactly as it was received: unsafe to show without sanitising it. Null where it has " +
        "none, or where you may not see message content.",
      resolve: ({ event }, _args, { scope }) => (scope.raw ? event.html : null),
    }),
    attachments: t.field({
      description: "The attached files. Empty where there are none.",
      type: [attachmentObject],
      nullable: false,
      resolve: ({ event }) => event.attachments,
    }),
  }),
});
