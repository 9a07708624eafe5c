import { createSourceEventStream, type ExecutionArgs, GraphQLError, type GraphQLSchema } from "graphql";
import { scopeFilter } from "../access/scope.ts";
import { filterFromArguments } from "../event/event-filter.ts";
import type { Hub } from "../hub/hub.ts";
import type { Sink, Subscriber } from "../hub/subscriber.ts";
import type { EventContext } from "./context.ts";
import { type Groups, SelectionGroup } from "./group.ts";
import { RequestedEvents } from "./requested-events.ts";
import { selectionOf } from "./selection.ts";

export interface SubscriptionRequest {
  /** A valid document's subscription; its context holds the viewer's scope. */
  readonly args: ExecutionArgs & { readonly contextValue: EventContext };
  /** `extensions.after` of the request: wins over the argument. */
  readonly after?: string | undefined;
  /** Makes the transport's end, once the arguments are known to be good. */
  readonly sink: (group: SelectionGroup) => Sink;
}

/** Opens subscriptions, on whatever transport. */
export interface EventSubscriptions {
  /** The running subscriber, or the errors in the request. */
  open(request: SubscriptionRequest): Promise<Subscriber | { readonly errors: readonly GraphQLError[] }>;
}

export function createEventSubscriptions(options: {
  readonly schema: GraphQLSchema;
  readonly hub: Hub;
  readonly groups: Groups;
}): EventSubscriptions {
  const { schema, hub, groups } = options;
  const leaveGroup = ({ group }: Subscriber): void => {
    if (group instanceof SelectionGroup) groups.leave(group);
  };
  return {
    async open({ args, after, sink }) {
      const requested = await requestedEvents(args);
      if (!(requested instanceof RequestedEvents)) return requested;
      const { scope } = args.contextValue;
      const selection = selectionOf(schema, args.document, args.operationName, args.variableValues ?? {}, { scope });
      const group = groups.enter(selection);
      return hub.subscribe({
        group,
        filter: [...filterFromArguments(requested.args), ...scopeFilter(scope)],
        after: after ?? requested.args.after ?? null,
        sink: sink(group),
        onEnd: leaveGroup,
      });
    },
  };
}

/** GraphQL's own execution coerces the variables and finds the field, its fragments and directives. */
async function requestedEvents(args: ExecutionArgs): Promise<RequestedEvents | { errors: readonly GraphQLError[] }> {
  try {
    const source = await createSourceEventStream(args);
    if (source instanceof RequestedEvents) return source;
    return { errors: ("errors" in source ? source.errors : undefined) ?? [nothingSelected()] };
  } catch {
    // graphql 16 assumes that a directive leaves at least one root field.
    return { errors: [nothingSelected()] };
  }
}

function nothingSelected(): GraphQLError {
  return new GraphQLError("The subscription selects no field.", { extensions: { code: "BAD_USER_INPUT" } });
}
