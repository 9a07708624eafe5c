import { seesEveryEvent } from "../../access/scope.ts";
import { ServiceError } from "../../error.ts";
import { queryBuilder } from "../builder.ts";
import { countArgument } from "../count-argument.ts";
import { webhookRequestObject } from "../type/webhook-request.ts";

const DEFAULT_FIRST = 50;

queryBuilder.queryField("webhookRequests", (t) =>
  t.field({
    description:
      "What the webhook endpoint of any instance has lately been sent, newest first, refused requests included. The " +
      "last 500 are kept. Only for who may see every event.",
    type: [webhookRequestObject],
    nullable: false,
    args: {
      first: t.arg.int({ defaultValue: DEFAULT_FIRST, description: "The number of requests at the most: 1 to 500." }),
    },
    resolve: (_root, { first }, context) => {
      // A request tells of a whole batch, other tenants' events included.
      if (!seesEveryEvent(context.scope)) {
        throw new ServiceError("FORBIDDEN", "webhookRequests is only for who may see every event.");
      }
      return context.eventLog.requests(countArgument("first", first, DEFAULT_FIRST, context));
    },
  }),
);
