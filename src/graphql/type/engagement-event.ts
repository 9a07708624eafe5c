import type { ClickEvent, OpenEvent } from "../../event/event.ts";
import type { EntryOf } from "../../event/live-entry.ts";
import { builder } from "../builder.ts";
import { eventInterface } from "./event.ts";
import { locationObject } from "./location.ts";
import { userAgentObject } from "./user-agent.ts";

export const engagementEventInterface = builder
  .interfaceRef<EntryOf<OpenEvent | ClickEvent>>("EngagementEvent")
  .implement({
    description:
      "What the recipient did with a message: an open or a click. Mail programs that load images through a proxy, or " +
      "in advance, report the proxy's address and program.",
    interfaces: [eventInterface],
    fields: (t) => ({
      ip: t.string({
        description: "The IP address that it came from.",
        resolve: ({ event }) => event.ip,
      }),
      userAgent: t.string({
        description: "The User-Agent header that came with it, unparsed.",
        resolve: ({ event }) => event.userAgent,
      }),
      location: t.field({
        description: "Where the IP address is. Null where Mandrill does not know.",
        type: locationObject,
        resolve: ({ event }) => event.location,
      }),
      client: t.field({
        description: "The program that the recipient used. Null where Mandrill does not know.",
        type: userAgentObject,
        resolve: ({ event }) => event.client,
      }),
    }),
  });
