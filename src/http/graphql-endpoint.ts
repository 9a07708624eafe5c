import type { IncomingMessage, ServerResponse } from "node:http";
import type { ExecutionArgs, GraphQLError, GraphQLSchema } from "graphql";
import { createYoga, type Plugin } from "graphql-yoga";
import type { Logger } from "pino";
import type { Scope } from "../access/scope.ts";
import type { QueryContext } from "../graphql/context.ts";
import type { EventSubscriptions } from "../graphql/event-subscription.ts";
import { ResultStream } from "../graphql/result-stream.ts";
import type { Subscriber } from "../hub/subscriber.ts";
import type { Graphiql } from "./graphiql.ts";

/** Where GraphQL is spoken, over HTTP, SSE and WebSocket. */
export const GRAPHQL_PATH = "/graphql";

export interface GraphqlEndpointOptions {
  readonly schema: GraphQLSchema;
  readonly subscriptions: EventSubscriptions;
  readonly logger: Logger;
  readonly contextFor: (scope: Scope) => QueryContext;
  readonly scopeOf: (request: IncomingMessage) => Scope;
  readonly presentError: (error: unknown) => GraphQLError;
  readonly maxBufferedBytes: number;
  readonly graphiql: Graphiql;
}

interface ServerContext {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
}

/** GraphQL over HTTP and SSE, and GraphiQL for browsers: Yoga, with subscriptions opened by their groups. */
export interface GraphqlEndpoint {
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /**
   * Breaks off the event streams. They are not completed, which would tell a client that nothing more will come:
   * it sees the connection end, and comes back with its place.
   */
  close(): void;
}

export function createGraphqlEndpoint(options: GraphqlEndpointOptions): GraphqlEndpoint {
  const { logger, presentError } = options;
  const yoga = createYoga<ServerContext, QueryContext>({
    schema: options.schema,
    graphqlEndpoint: GRAPHQL_PATH,
    context: ({ req }) => options.contextFor(options.scopeOf(req)),
    graphiql: true,
    renderGraphiQL: () => options.graphiql.page(),
    landingPage: false,
    multipart: false,
    maskedErrors: { maskError: presentError },
    logging: {
      debug: (...parts) => logger.trace({ parts }, "Yoga"),
      info: (...parts) => logger.debug({ parts }, "Yoga"),
      warn: (...parts) => logger.warn({ parts }, "Yoga"),
      // A client's faulty request is told to the client; what is unexpected has been logged with its id.
      error: (error: unknown) => logger.debug({ err: error }, "a GraphQL request was refused or failed"),
    },
    plugins: [sharedSubscriptions(options)],
  });
  const open = new Set<ServerResponse>();
  return {
    async handle(request, response) {
      open.add(response);
      response.once("close", () => open.delete(response));
      await yoga(request, response);
    },
    close() {
      for (const response of open) {
        if (String(response.getHeader("content-type")).startsWith("text/event-stream")) response.destroy();
      }
    },
  };
}

/** Has subscriptions opened by event-subscription.ts in the place of GraphQL's own `subscribe`. */
function sharedSubscriptions({ subscriptions, presentError, maxBufferedBytes }: GraphqlEndpointOptions): Plugin {
  return {
    onSubscribe({ setSubscribeFn }) {
      setSubscribeFn(async (args: ExecutionArgs) => {
        const { scope, params } = args.contextValue as QueryContext & { params?: { extensions?: { after?: unknown } } };
        const after = params?.extensions?.after;
        let subscriber: Subscriber | undefined;
        let stream: ResultStream | undefined;
        const opened = await subscriptions.open({
          args: { ...args, contextValue: { scope } },
          after: typeof after === "string" ? after : undefined,
          sink: (group) => {
            stream = new ResultStream({
              group,
              maxBufferedBytes,
              present: presentError,
              onReturn: () => subscriber?.close(),
            });
            return stream;
          },
        });
        if ("errors" in opened) return { errors: opened.errors };
        subscriber = opened;
        return stream;
      });
    },
  };
}
