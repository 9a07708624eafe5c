import type { EventType } from "../../event/event-type.ts";
import type { LiveEntry } from "../../event/live-entry.ts";
import { builder } from "../builder.ts";
import { eventTypeEnum } from "./event-type.ts";
import { messageObject } from "./message.ts";

/** The object type that shows each kind of event. */
const OBJECT_NAMES = {
  send: "SendEvent",
  deferral: "DeferralEvent",
  hard_bounce: "BounceEvent",
  soft_bounce: "BounceEvent",
  delivered: "DeliveredEvent",
  open: "OpenEvent",
  click: "ClickEvent",
  spam: "SpamEvent",
  unsub: "UnsubEvent",
  reject: "RejectEvent",
  blacklist: "SyncEvent",
  whitelist: "SyncEvent",
  inbound: "InboundEvent",
  other: "OtherEvent",
} as const satisfies Record<EventType, string>;

export const eventInterface = builder.interfaceRef<LiveEntry>("Event").implement({
  description:
    "Something that Mandrill has reported. Each kind has an object type of its own with the fields that only it has: " +
    "select them with an inline fragment, such as `... on ClickEvent { url }`.",
  resolveType: ({ event }) => OBJECT_NAMES[event.type],
  fields: (t) => ({
    id: t.id({
      description:
        "Identifies the event for good. Mandrill may send an event more than once; its id stays the same, so it is " +
        "safe to use as a key.",
      nullable: false,
      resolve: ({ event }) => event.id,
    }),
    cursor: t.field({
      description:
        "The event's place in the log. Hand the last one you have handled to `eventReceived(after:)` to go on there.",
      type: "Cursor",
      nullable: false,
      resolve: (entry) => entry.cursor,
    }),
    type: t.field({
      description: "The kind of event.",
      type: eventTypeEnum,
      nullable: false,
      resolve: ({ event }) => event.type,
    }),
    name: t.string({
      description:
        "The kind as Mandrill spelled it. For `other` it tells what Mandrill sent; null where Mandrill named no kind.",
      resolve: ({ event }) => event.name,
    }),
    occurredAt: t.field({
      description: "When it happened, by Mandrill's clock (to the second). Null where Mandrill did not say.",
      type: "DateTime",
      resolve: ({ event }) => event.occurredAt,
    }),
    receivedAt: t.field({
      description: "When this service recorded it. Never earlier than that of the event before it in the log.",
      type: "DateTime",
      nullable: false,
      resolve: (entry) => entry.receivedAt,
    }),
    messageId: t.id({
      description:
        "Mandrill's id of the message, as its sending API returned it. Shared by all events of one message to one " +
        "recipient. Null where the event is about no message that was sent.",
      resolve: ({ event }) => event.messageId,
    }),
    messageState: t.string({
      description:
        "The state of the message when the event happened, as Mandrill names it: `sent`, `rejected`, `spam`, `unsub`, " +
        "`bounced`, `soft-bounced` or `deferred`.",
      resolve: ({ event }) => event.messageState,
    }),
    email: t.string({
      description:
        "The address that the event is about: the recipient of a message, the address on the denylist or allowlist, " +
        "or the address that received inbound mail.",
      resolve: ({ event }) => event.email,
    }),
    message: t.field({
      description:
        "The message that was sent. Null for denylist, allowlist and inbound events, and where Mandrill no longer has " +
        "it (it keeps messages for 30 days).",
      type: messageObject,
      resolve: ({ event }) => event.message,
    }),
    webhook: t.string({
      description: "The label of the configured webhook that brought the event.",
      resolve: ({ event }) => event.webhook,
    }),
    raw: t.field({
      description:
        "The event as Mandrill sent it, with everything that this schema has no field for. Null where you may not see " +
        "message content.",
      type: "JSON",
      resolve: ({ event }, _args, { scope }) => (scope.raw ? event.raw : null),
    }),
  }),
});
