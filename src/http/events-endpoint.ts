import type { IncomingMessage, ServerResponse } from "node:http";
import type { GraphQLError, GraphQLSchema } from "graphql";
import type { Stays } from "../access/stay.ts";
import type { Viewer } from "../access/viewer.ts";
import { ERRORS, type ErrorCode, ServiceError } from "../error.ts";
import type { EventLog } from "../event-log/event-log.ts";
import type { EventSubscriptions } from "../graphql/event-subscription.ts";
import { wholeEventDocument } from "../graphql/whole-event.ts";
import type { Hub } from "../hub/hub.ts";
import type { Sink, Subscriber } from "../hub/subscriber.ts";
import { preferredType } from "./accept.ts";
import { EventStream } from "./event-stream.ts";
import { type EventsQuery, readEventsQuery } from "./events-query.ts";
import { isGap, withGap } from "./gap.ts";
import { LongPoll } from "./long-poll.ts";

/** Where events are listened to without GraphQL. */
export const EVENTS_PATH = "/events";

const STREAM = "text/event-stream";
const POLL = "application/json";
const ALLOW = "GET, HEAD";

export interface EventsEndpointOptions {
  readonly schema: GraphQLSchema;
  readonly subscriptions: EventSubscriptions;
  readonly hub: Hub;
  readonly eventLog: Pick<EventLog, "head">;
  /** Who asks; rejects with UNAUTHENTICATED or FORBIDDEN. */
  readonly viewerOf: (request: IncomingMessage) => Promise<Viewer>;
  readonly stays: Stays;
  readonly presentError: (error: unknown) => GraphQLError;
  readonly maxBufferedBytes: number;
  /** A reader that has taken nothing for so long is cut. Milliseconds. */
  readonly stallTimeout: number;
  /** How often a stream is told its place. Milliseconds. */
  readonly heartbeatInterval: number;
}

/**
 * The feed for clients without GraphQL: Server-Sent Events, or one answer a request (long polling). Its subscribers
 * are those of a GraphQL subscription that selects everything, so that groups, access rules and errors are the same.
 */
export interface EventsEndpoint {
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** How many are open now. */
  readonly open: { readonly streams: number; readonly polls: number };
  /** Answers the polls, and breaks the streams off, so that their clients come back with their place. */
  close(): void;
}

export function createEventsEndpoint(options: EventsEndpointOptions): EventsEndpoint {
  const { schema, subscriptions, hub, eventLog, presentError, maxBufferedBytes, stallTimeout } = options;
  const documents = { raw: wholeEventDocument(schema, true), lean: wholeEventDocument(schema, false) };
  const streams = new Set<ServerResponse>();
  const polls = new Set<LongPoll>();

  const present = (error: unknown): ServiceError => serviceErrorOf(presentError(error));

  const open = async (query: EventsQuery, { scope }: Viewer, after: string | null, sink: Sink): Promise<Subscriber> => {
    const opened = await subscriptions.open({
      args: {
        schema,
        document: query.raw ? documents.raw : documents.lean,
        variableValues: { ...query.filter },
        contextValue: { scope },
      },
      after: after ?? undefined,
      sink: () => sink,
    });
    if ("errors" in opened) throw present(opened.errors[0]);
    return opened;
  };

  const stream = async (response: ServerResponse, query: EventsQuery, viewer: Viewer): Promise<void> => {
    streams.add(response);
    response.once("close", () => streams.delete(response));
    const events = new EventStream({
      response,
      hub,
      eventLog,
      subscribe: (after, sink) => open(query, viewer, after, sink),
      present,
      maxBufferedBytes,
      stallTimeout,
      heartbeatInterval: options.heartbeatInterval,
      stay: (onEnd) => options.stays.begin(viewer, onEnd),
    });
    await events.open(query.after);
  };

  const poll = async (response: ServerResponse, query: EventsQuery, viewer: Viewer): Promise<void> => {
    // The log's own head: what was acknowledged before this request is not new to it.
    const after = query.after ?? (await eventLog.head()).cursor;
    const waiting = new LongPoll({
      response,
      hub,
      subscribe: (sink) => open(query, viewer, after, sink),
      maxBytes: maxBufferedBytes,
      stallTimeout,
      wait: query.wait,
      stay: (onEnd) => options.stays.begin(viewer, onEnd),
    });
    polls.add(waiting);
    try {
      await waiting.run();
    } catch (error) {
      throw error instanceof ServiceError && isGap(error) ? await withGap(error, eventLog) : error;
    } finally {
      polls.delete(waiting);
    }
  };

  return {
    async handle(request, response) {
      if (request.method !== "GET" && request.method !== "HEAD") {
        response.setHeader("allow", ALLOW);
        throw new ServiceError("METHOD_NOT_ALLOWED", `${EVENTS_PATH} takes ${ALLOW}.`);
      }
      response.appendHeader("vary", "accept");
      const type = preferredType(request.headers.accept, [STREAM, POLL]);
      if (type === null) throw new ServiceError("NOT_ACCEPTABLE", `${EVENTS_PATH} gives ${STREAM} or ${POLL}.`);
      const viewer = await options.viewerOf(request);
      const query = readEventsQuery(request.url ?? "", headerOf(request, "last-event-id"));
      if (request.method === "HEAD") {
        response.writeHead(200, { "content-type": type, "cache-control": "no-store" }).end();
        return;
      }
      await (type === STREAM ? stream : poll)(response, query, viewer);
    },
    get open() {
      return { streams: streams.size, polls: polls.size };
    },
    close() {
      for (const response of streams) response.destroy();
      for (const waiting of polls) waiting.answerNothing();
    },
  };
}

function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** An error as it is told outside of GraphQL. */
function serviceErrorOf({ message, extensions }: GraphQLError): ServiceError {
  const { code, ...rest } = extensions;
  return new ServiceError(typeof code === "string" && code in ERRORS ? (code as ErrorCode) : "INTERNAL", message, rest);
}
