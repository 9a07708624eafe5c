import type { Message } from "../../event/event.ts";
import { builder } from "../builder.ts";

export const messageObject = builder.objectRef<Message>("Message").implement({
  description:
    "A message (an e-mail to one recipient) as it was when an event about it happened. It is a value without an id, " +
    "because what Mandrill tells of a message changes from event to event; `messageId` is on the event.",
  fields: (t) => ({
    email: t.exposeString("email", { description: "The recipient's address." }),
    sender: t.exposeString("sender", { description: "The address that the message was sent from." }),
    subject: t.exposeString("subject", { description: "The subject line." }),
    sentAt: t.expose("sentAt", { type: "DateTime", description: "When the message was sent, by Mandrill's clock." }),
    tags: t.exposeStringList("tags", {
      description: "The tags that the message was sent with. Empty where there are none.",
      nullable: false,
    }),
    metadata: t.field({
      description: "The metadata that the message was sent with. An empty object where there is none.",
      type: "JSON",
      nullable: false,
      resolve: ({ metadata }) => metadata,
    }),
    subaccount: t.exposeString("subaccount", { description: "The Mandrill subaccount that sent the message." }),
    template: t.exposeString("template", { description: "The name of the template that the message was made from." }),
  }),
});
