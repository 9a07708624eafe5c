import type { UnsubEvent } from "../../event/event.ts";
import type { EntryOf } from "../../event/live-entry.ts";
import { builder } from "../builder.ts";
import { eventInterface } from "./event.ts";

builder.objectRef<EntryOf<UnsubEvent>>("UnsubEvent").implement({
  description: "The recipient has unsubscribed (type `unsub`).",
  interfaces: [eventInterface],
});
