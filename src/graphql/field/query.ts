import { queryBuilder } from "../builder.ts";

queryBuilder.queryType({
  description: "What has been received so far. For what comes from now on, see `Subscription`.",
});
