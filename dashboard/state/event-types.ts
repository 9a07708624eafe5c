import type { EventType } from "../generated/graphql.ts";

/** Every type with its name for people, in the order of a message's life. */
export const TYPE_NAMES: Readonly<Record<EventType, string>> = {
  send: "send",
  deferral: "deferral",
  hard_bounce: "hard bounce",
  soft_bounce: "soft bounce",
  delivered: "delivered",
  open: "open",
  click: "click",
  spam: "spam",
  unsub: "unsubscribe",
  reject: "reject",
  blacklist: "denylist",
  whitelist: "allowlist",
  inbound: "inbound",
  other: "other",
};

export const EVENT_TYPES = Object.keys(TYPE_NAMES) as readonly EventType[];
