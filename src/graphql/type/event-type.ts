import type { EventType } from "../../event/event-type.ts";
import { builder } from "../builder.ts";

const values = {
  send: { description: "Mandrill has sent the message to the recipient's server." },
  deferral: { description: "The recipient's server has put the message off; Mandrill will try again." },
  hard_bounce: { description: "The message was refused for good: the address does not exist, for instance." },
  soft_bounce: { description: "The message was refused for now: the mailbox is full, for instance." },
  delivered: { description: "The recipient's server has accepted the message." },
  open: { description: "The recipient has opened the message." },
  click: { description: "The recipient has clicked a link in the message." },
  spam: { description: "The recipient has marked the message as spam." },
  unsub: { description: "The recipient has unsubscribed." },
  reject: { description: "Mandrill has not sent the message: the recipient is on its denylist, for instance." },
  blacklist: { description: "An entry of Mandrill's denylist was added, removed or changed." },
  whitelist: { description: "An entry of Mandrill's allowlist was added or removed." },
  inbound: { description: "Mandrill has received mail for one of your inbound routes." },
  other: { description: "A kind that this version of the service does not know; the event's `name` tells which." },
} as const satisfies Record<EventType, { description: string }>;

export const eventTypeEnum = builder.enumType("EventType", {
  description: "The kinds of event, spelled as in Mandrill's webhooks.",
  values,
});
