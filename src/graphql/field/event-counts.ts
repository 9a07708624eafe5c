import { scopeFilter } from "../../access/scope.ts";
import { ServiceError } from "../../error.ts";
import { filterFromArguments } from "../../event/event-filter.ts";
import { EVENT_TYPES } from "../../event/event-type.ts";
import { bucketStarts } from "../../event-log/event-counts.ts";
import { queryBuilder } from "../builder.ts";
import { countArgument } from "../count-argument.ts";
import { filterArguments } from "../filter-arguments.ts";
import { eventCountObject } from "../type/event-count.ts";

const DEFAULT_BUCKETS = 60;

queryBuilder.queryField("eventCounts", (t) => {
  const { types, email, tag, subaccount } = filterArguments;
  return t.field({
    description:
      "How many events were received, by bucket of time and type, for plots. The span is cut into buckets of equal " +
      "length. Buckets and types without events are left out; what is there is ordered by time.",
    type: [eventCountObject],
    nullable: false,
    args: {
      from: t.arg({
        type: "DateTime",
        required: true,
        description: "Where the span begins (inclusive), measured by `receivedAt`.",
      }),
      to: t.arg({ type: "DateTime", required: true, description: "Where the span ends (exclusive); after `from`." }),
      buckets: t.arg.int({ defaultValue: DEFAULT_BUCKETS, description: "The number of buckets: 1 to 500." }),
      types,
      email,
      tag,
      subaccount,
    },
    resolve: async (_root, { from, to, buckets: bucketsArgument, ...filter }, { eventLog, scope, maxFirst }) => {
      const buckets = countArgument("buckets", bucketsArgument, DEFAULT_BUCKETS, { maxFirst });
      if (from >= to) {
        throw new ServiceError("BAD_USER_INPUT", "from must be earlier than to.", { argument: "from" });
      }
      const query = { from, to, buckets, filter: [...filterFromArguments(filter), ...scopeFilter(scope)] };
      const rows = await eventLog.count(query);
      const starts = bucketStarts(query);
      return rows
        .toSorted((a, b) => a.bucket - b.bucket || EVENT_TYPES.indexOf(a.type) - EVENT_TYPES.indexOf(b.type))
        .map(({ bucket, type, count }) => ({
          from: starts[bucket] ?? from,
          to: starts[bucket + 1] ?? to,
          type,
          count,
        }));
    },
  });
});
