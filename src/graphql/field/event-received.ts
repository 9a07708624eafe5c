import type { LiveEntry } from "../../event/live-entry.ts";
import { builder } from "../builder.ts";
import { filterArguments } from "../filter-arguments.ts";
import { RequestedEvents } from "../requested-events.ts";
import { eventInterface } from "../type/event.ts";

builder.subscriptionField("eventReceived", (t) =>
  t.field({
    description:
      "Every event that matches all of the given filters, as soon as it is received. With `after`, first everything " +
      "that came later than that cursor, then what comes from now on; without it, what comes from now on. Nothing is " +
      "left out: a subscription that cannot go on ends with an error that tells why.",
    type: eventInterface,
    nullable: false,
    args: {
      ...filterArguments,
      after: t.arg({
        type: "Cursor",
        description:
          "Start behind this place: the `cursor` of the last event you have handled, or the `head` of a query.",
      }),
    },
    // graphql-js only coerces the arguments: event-subscription.ts opens the stream for all subscribers of equal
    // selection and scope, and each event is then executed on its own, the entry being the root value.
    subscribe: (_root, args): AsyncIterable<LiveEntry> => new RequestedEvents(args),
    resolve: (entry) => entry,
  }),
);
