import type { OpenEvent } from "../../event/event.ts";
import type { EntryOf } from "../../event/live-entry.ts";
import { builder } from "../builder.ts";
import { engagementEventInterface } from "./engagement-event.ts";
import { eventInterface } from "./event.ts";

builder.objectRef<EntryOf<OpenEvent>>("OpenEvent").implement({
  description: "The recipient has opened the message (type `open`).",
  interfaces: [eventInterface, engagementEventInterface],
});
