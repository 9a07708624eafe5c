import { scopeFilter } from "../../access/scope.ts";
import { matchesFilter } from "../../event/event-filter.ts";
import { isLive } from "../../event/live-entry.ts";
import { queryBuilder } from "../builder.ts";
import { eventInterface } from "../type/event.ts";

queryBuilder.queryField("event", (t) =>
  t.field({
    description: "The event with this id. Null where the log does not hold it (any more), or you may not see it.",
    type: eventInterface,
    args: {
      id: t.arg.id({ required: true, description: "The event's `id`." }),
    },
    resolve: async (_root, { id }, { eventLog, scope }) => {
      const entry = await eventLog.findById(id);
      return entry !== null && isLive(entry) && matchesFilter(scopeFilter(scope), entry.event) ? entry : null;
    },
  }),
);
