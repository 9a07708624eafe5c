import { queryBuilder } from "../builder.ts";

queryBuilder.mutationType({
  description: "What a client may change: only its own connection.",
});
