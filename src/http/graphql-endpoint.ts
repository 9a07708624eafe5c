import type { IncomingMessage, ServerResponse } from "node:http";
import type { ExecutionArgs, GraphQLError, GraphQLSchema } from "graphql";
import { createYoga, type Plugin } from "graphql-yoga";
import type { Logger } from "pino";
import type { ConnectionLimit } from "../access/connection-limit.ts";
import type { Scope } from "../access/scope.ts";
import type { Stays } from "../access/stay.ts";
import type { Viewer } from "../access/viewer.ts";
import type { ServiceError } from "../error.ts";
import type { QueryContext } from "../graphql/context.ts";
import type { Documents } from "../graphql/documents.ts";
import type { EventSubscriptions } from "../graphql/event-subscription.ts";
import { subscribeToResults } from "../graphql/result-subscription.ts";
import type { Graphiql } from "./graphiql.ts";
import { cutStalledReader } from "./stalled-reader.ts";
import { EXTRA_PARAMETERS, yogaDocuments } from "./yoga-documents.ts";
import { withOurCode } from "./yoga-error.ts";
import { yogaStay } from "./yoga-stay.ts";

/** Where GraphQL is spoken, over HTTP, SSE and WebSocket. */
export const GRAPHQL_PATH = "/graphql";

export interface GraphqlEndpointOptions {
  readonly schema: GraphQLSchema;
  readonly documents: Documents;
  readonly subscriptions: EventSubscriptions;
  readonly logger: Logger;
  readonly contextFor: (scope: Scope) => QueryContext;
  /** Who asks; rejects with UNAUTHENTICATED or FORBIDDEN. */
  readonly viewerOf: (request: IncomingMessage) => Promise<Viewer>;
  readonly stays: Stays;
  readonly presentError: (error: unknown) => GraphQLError;
  readonly maxBufferedBytes: number;
  /** An event stream's reader that does not take what waits for so long is cut. Milliseconds. */
  readonly stallTimeout: number;
  /** Counts the event streams. */
  readonly connections: Pick<ConnectionLimit, "enter">;
  /** Largest body of a request. Bytes. */
  readonly maxMessageBytes: number;
  /** null where browsers get no GraphiQL. */
  readonly graphiql: Graphiql | null;
}

interface ServerContext {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
}

/** GraphQL over HTTP and SSE, and GraphiQL for browsers: Yoga, with subscriptions opened by their groups. */
export interface GraphqlEndpoint {
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Event streams that are open. */
  readonly open: number;
  /**
   * Breaks off the event streams. They are not completed, which would tell a client that nothing more will come:
   * it sees the connection end, and comes back with its place.
   */
  close(): void;
}

export function createGraphqlEndpoint(options: GraphqlEndpointOptions): GraphqlEndpoint {
  const { logger, presentError, graphiql, viewerOf } = options;
  const viewers = new WeakMap<IncomingMessage, Viewer>();
  const viewerFor = async (request: IncomingMessage): Promise<Viewer> => {
    const viewer = viewers.get(request) ?? (await viewerOf(request));
    viewers.set(request, viewer);
    return viewer;
  };
  const tell = (error: unknown): GraphQLError => {
    const told = presentError(withOurCode(error));
    // What is unexpected has been logged with its id. A message may quote what was sent, a token included.
    logger.debug({ code: told.extensions.code }, "a GraphQL request was refused or failed");
    return told;
  };
  const yoga = createYoga<ServerContext, QueryContext>({
    schema: options.schema,
    graphqlEndpoint: GRAPHQL_PATH,
    context: async ({ req }) => options.contextFor((await viewerFor(req)).scope),
    graphiql: graphiql !== null,
    ...(graphiql === null ? {} : { renderGraphiQL: () => graphiql.page() }),
    // Which origins may read is said once for all routes (origin.ts).
    cors: false,
    batching: false,
    maxRequestBodySize: options.maxMessageBytes,
    extraParamNames: EXTRA_PARAMETERS,
    // documents.ts remembers them for all transports.
    parserAndValidationCache: false,
    landingPage: false,
    multipart: false,
    maskedErrors: { maskError: tell },
    logging: {
      debug: (...parts) => logger.trace({ parts }, "Yoga"),
      info: (...parts) => logger.debug({ parts }, "Yoga"),
      warn: (...parts) => logger.warn({ parts }, "Yoga"),
      // Every error passes `tell`.
      error: () => {},
    },
    plugins: [
      yogaDocuments(options.documents),
      yogaStay({ stays: options.stays, viewerFor, presentError }),
      sharedSubscriptions(options, viewerFor),
    ],
  });
  const open = new Set<ServerResponse>();
  const streams = (): ServerResponse[] =>
    [...open].filter((response) => String(response.getHeader("content-type")).startsWith("text/event-stream"));
  return {
    async handle(request, response) {
      open.add(response);
      response.once("close", () => open.delete(response));
      // Before a body is read. The page is for everybody: what it asks for is not.
      if (graphiql === null || !wantsPage(request)) await viewerFor(request);
      await yoga(request, response);
    },
    get open() {
      return streams().length;
    },
    close() {
      for (const response of streams()) response.destroy();
    },
  };
}

/** Results as Yoga writes them to an event stream, one behind the other: one at a time, each costs a system call. */
function asEvents(results: readonly string[]): string {
  return results.join("\n\nevent: next\ndata: ");
}

/** As Yoga decides it. */
function wantsPage({ method, headers }: IncomingMessage): boolean {
  return method === "GET" && headers.accept?.includes("text/html") === true;
}

/** Has subscriptions opened by event-subscription.ts in the place of GraphQL's own `subscribe`. */
function sharedSubscriptions(
  options: GraphqlEndpointOptions,
  viewerFor: (request: IncomingMessage) => Promise<Viewer>,
): Plugin {
  return {
    onSubscribe({ setSubscribeFn }) {
      setSubscribeFn(async (args: ExecutionArgs) => {
        const { scope, params, req, res } = args.contextValue as QueryContext &
          ServerContext & { params?: { extensions?: { after?: unknown } } };
        const viewer = await viewerFor(req);
        const leave = options.connections.enter(req);
        // Whoever has gone meanwhile is not told of again.
        if (res.destroyed) leave();
        else res.once("close", leave);
        cutStalledReader(res, options.stallTimeout);
        const stay = (onEnd: (error: ServiceError) => void) =>
          options.stays.begin(viewer, (error) => {
            // What the reader has yet to take is not to be taken any more.
            if (res.writableLength > 0) res.destroy();
            onEnd(error);
          });
        const after = params?.extensions?.after;
        const given = typeof after === "string" ? after : undefined;
        return subscribeToResults({ ...args, contextValue: { scope } }, given, { ...options, join: asEvents, stay });
      });
    },
  };
}
