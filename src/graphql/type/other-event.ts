import type { OtherEvent } from "../../event/event.ts";
import type { EntryOf } from "../../event/live-entry.ts";
import { builder } from "../builder.ts";
import { eventInterface } from "./event.ts";

builder.objectRef<EntryOf<OtherEvent>>("OtherEvent").implement({
  description:
    "An event of a kind that this version of the service does not know (type `other`). `name` and `raw` tell what it is.",
  interfaces: [eventInterface],
});
