import { filterFromArguments } from "../../event/event-filter.ts";
import { queryBuilder } from "../builder.ts";
import { countArgument } from "../count-argument.ts";
import { readEventPage } from "../event-page.ts";
import { eventConnectionObject } from "../type/event-connection.ts";

const DEFAULT_FIRST = 100;

queryBuilder.queryField("messageEvents", (t) =>
  t.field({
    description: "Everything that is known of one sent message, oldest first.",
    type: eventConnectionObject,
    nullable: false,
    args: {
      messageId: t.arg.id({
        required: true,
        description: "The message's id, as Mandrill's sending API returned it and as `messageId` of an event has it.",
      }),
      first: t.arg.int({ defaultValue: DEFAULT_FIRST, description: "The number of events at the most: 1 to 500." }),
      after: t.arg({
        type: "Cursor",
        description: "Go on towards newer events from here: the `endCursor` of the page before.",
      }),
    },
    resolve: (_root, { messageId, first, after }, context) =>
      readEventPage(
        {
          filter: filterFromArguments({ messageId }),
          order: "oldest-first",
          limit: countArgument("first", first, DEFAULT_FIRST, context),
          after,
        },
        context,
      ),
  }),
);
