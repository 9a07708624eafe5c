import type { SpamEvent } from "../../event/event.ts";
import type { EntryOf } from "../../event/live-entry.ts";
import { builder } from "../builder.ts";
import { eventInterface } from "./event.ts";

builder.objectRef<EntryOf<SpamEvent>>("SpamEvent").implement({
  description: "The recipient has marked the message as spam (type `spam`).",
  interfaces: [eventInterface],
});
