import { filterFromArguments } from "../../event/event-filter.ts";
import { queryBuilder } from "../builder.ts";
import { countArgument } from "../count-argument.ts";
import { readEventPage } from "../event-page.ts";
import { filterArguments } from "../filter-arguments.ts";
import { eventConnectionObject } from "../type/event-connection.ts";

const DEFAULT_FIRST = 50;

queryBuilder.queryField("recentEvents", (t) =>
  t.field({
    description:
      "The events that match all of the given filters, newest first. To show them and then go on live, hand the " +
      "answer's `head` to `eventReceived(after:)`.",
    type: eventConnectionObject,
    nullable: false,
    args: {
      ...filterArguments,
      first: t.arg.int({ defaultValue: DEFAULT_FIRST, description: "The number of events at the most: 1 to 500." }),
      after: t.arg({
        type: "Cursor",
        description: "Go on towards older events from here: the `endCursor` of the page before.",
      }),
      since: t.arg({
        type: "Cursor",
        description:
          "Only events that came later than this. Fails with CURSOR_EXPIRED where the log no longer holds all of them.",
      }),
    },
    resolve: (_root, { first, after, since, ...filter }, context) =>
      readEventPage(
        {
          filter: filterFromArguments(filter),
          order: "newest-first",
          limit: countArgument("first", first, DEFAULT_FIRST, context),
          after,
          since,
        },
        context,
      ),
  }),
);
