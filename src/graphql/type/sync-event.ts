import type { SyncEvent } from "../../event/event.ts";
import type { EntryOf } from "../../event/live-entry.ts";
import { builder } from "../builder.ts";
import { eventInterface } from "./event.ts";

builder.objectRef<EntryOf<SyncEvent>>("SyncEvent").implement({
  description:
    "An entry of Mandrill's denylist (type `blacklist`) or allowlist (type `whitelist`) has changed. " +
    "`email` is the address on the list.",
  interfaces: [eventInterface],
  fields: (t) => ({
    action: t.string({
      description: "What happened to the entry: `add`, `remove` or, on the denylist alone, `change`.",
      resolve: ({ event }) => event.action,
    }),
    reason: t.string({
      description: "Why the address is on the list: `hard-bounce` or `custom`, for instance.",
      resolve: ({ event }) => event.reason,
    }),
    detail: t.string({
      description: "More about the reason: the answer of the recipient's server, or a note made by hand.",
      resolve: ({ event }) => event.detail,
    }),
    expiresAt: t.field({
      description: "When the entry lapses by itself. Null where it does not.",
      type: "DateTime",
      resolve: ({ event }) => event.expiresAt,
    }),
  }),
});
