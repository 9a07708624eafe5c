import { ServiceError } from "../../error.ts";
import { queryBuilder } from "../builder.ts";

/** The last moment that RFC 3339 can write. Milliseconds since the Unix epoch. */
const LAST_MOMENT = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

queryBuilder.mutationField("renewToken", (t) =>
  t.field({
    description:
      "Goes on with a fresh token on this WebSocket, so that its subscriptions outlive the token that it was opened " +
      "with. Answers when the fresh token expires; a token that never does, with the end of the year 9999. A token " +
      "that may see more or less than the first is refused with FORBIDDEN, because the running subscriptions show " +
      "what the first may see: connect anew with it. Over HTTP each request brings its token, and there is nothing " +
      "to renew (BAD_USER_INPUT).",
    type: "DateTime",
    nullable: false,
    args: {
      token: t.arg.string({ required: true, description: "The fresh token, without `Bearer`." }),
    },
    resolve: async (_root, { token }, { renewToken }) => {
      if (renewToken === undefined) {
        throw new ServiceError("BAD_USER_INPUT", "renewToken is for the token of a WebSocket.");
      }
      return Math.min(await renewToken(token), LAST_MOMENT);
    },
  }),
);
