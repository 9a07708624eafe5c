import type { ExecutionArgs, ExecutionResult, GraphQLError } from "graphql";
import type { Stay } from "../access/stay.ts";
import type { ServiceError } from "../error.ts";
import type { Subscriber } from "../hub/subscriber.ts";
import type { EventContext } from "./context.ts";
import type { EventSubscriptions } from "./event-subscription.ts";
import { ResultStream } from "./result-stream.ts";

export interface ResultSubscriptionOptions {
  readonly subscriptions: EventSubscriptions;
  readonly presentError: (error: unknown) => GraphQLError;
  /** Bytes of stored events that may wait for a reader. */
  readonly maxBufferedBytes: number;
  /** As {@link ResultStreamOptions.join}. */
  readonly join?: ((texts: readonly string[]) => string) | undefined;
  /** Begins the viewer's stay: for as long as it holds, something may be shown. */
  readonly stay: (onEnd: (error: ServiceError) => void) => Stay;
}

/** What stands in the place of GraphQL's own `subscribe`, for transports that pull results. */
export async function subscribeToResults(
  args: ExecutionArgs & { readonly contextValue: EventContext },
  after: string | undefined,
  { subscriptions, presentError, maxBufferedBytes, join, stay: begin }: ResultSubscriptionOptions,
): Promise<ResultStream | ExecutionResult> {
  let subscriber: Subscriber | undefined;
  let stream: ResultStream | undefined;
  const stay = begin((error) => {
    subscriber?.close();
    stream?.cut(error);
  });
  const opened = await subscriptions.open({
    args,
    after,
    sink: (group) => {
      stream = new ResultStream({
        group,
        maxBufferedBytes,
        join,
        present: presentError,
        stay,
        onReturn: () => {
          stay.leave();
          subscriber?.close();
        },
      });
      return stream;
    },
  });
  if ("errors" in opened || stream === undefined) {
    stay.leave();
    return { errors: "errors" in opened ? opened.errors : [] };
  }
  subscriber = opened;
  if (!stay.holds()) subscriber.close();
  return stream;
}
