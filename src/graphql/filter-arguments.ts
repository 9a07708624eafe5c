import { builder } from "./builder.ts";
import { eventTypeEnum } from "./type/event-type.ts";

/** The arguments by which events are chosen, each described once; `filterFromArguments` reads them. */
export const filterArguments = builder.args((t) => ({
  types: t.field({
    type: [eventTypeEnum],
    description: "Only events of these types. Left out, events of every type; an empty list matches nothing.",
  }),
  email: t.string({ description: "Only events about this address, in upper or lower case." }),
  messageId: t.id({ description: "Only events of the message with this id." }),
  tag: t.string({ description: "Only events of messages that bear this tag." }),
  subaccount: t.string({ description: "Only events of this Mandrill subaccount." }),
}));
