import type { SendEvent } from "../../event/event.ts";
import type { EntryOf } from "../../event/live-entry.ts";
import { builder } from "../builder.ts";
import { eventInterface } from "./event.ts";

builder.objectRef<EntryOf<SendEvent>>("SendEvent").implement({
  description: "Mandrill has sent the message to the recipient's server (type `send`).",
  interfaces: [eventInterface],
});
