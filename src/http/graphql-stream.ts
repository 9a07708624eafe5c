import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type ExecutionArgs, type ExecutionResult, execute, type GraphQLError, type GraphQLSchema } from "graphql";
import { createHandler, type Request, type Response } from "graphql-sse";
import type { ConnectionLimit } from "../access/connection-limit.ts";
import { type Scope, scopeKey } from "../access/scope.ts";
import type { Stays } from "../access/stay.ts";
import type { Viewer } from "../access/viewer.ts";
import type { SocketConfig } from "../config.ts";
import { type ErrorCode, ServiceError } from "../error.ts";
import { refusalOfOperation } from "../graphql/admission.ts";
import type { QueryContext } from "../graphql/context.ts";
import type { Documents } from "../graphql/documents.ts";
import type { EventSubscriptions } from "../graphql/event-subscription.ts";
import { subscribeToResults } from "../graphql/result-subscription.ts";
import { readJsonBody } from "./json-body.ts";
import { SharedStream } from "./shared-stream.ts";

/** Where many operations share one event stream. */
export const GRAPHQL_STREAM_PATH = "/graphql/stream";

/** A client takes its reservation up at once. Milliseconds. */
const RESERVATION_TIME = 10_000;

const TOKEN_HEADER = "x-graphql-event-stream-token";
/** What a client may name its stream, which a proxy before several instances can then be sticky on. */
const TOKEN = /^[\w-]{16,128}$/;
/** What each method is for (graphql-sse, PROTOCOL.md): reserve, listen, begin an operation, end one. */
const ACCEPT = { PUT: "text/plain", GET: "text/event-stream", POST: "application/json", DELETE: "*/*" } as const;

/** How the library says that an operation has begun, and that one of this id runs. */
const BEGUN = 202;
const RUNS_ALREADY = 409;

/** How the library's refusals are called elsewhere in this service. */
const CODES: Readonly<Record<number, ErrorCode>> = {
  404: "NOT_FOUND",
  405: "METHOD_NOT_ALLOWED",
  415: "UNSUPPORTED_MEDIA_TYPE",
};

export interface GraphqlStreamOptions {
  readonly schema: GraphQLSchema;
  readonly documents: Documents;
  readonly subscriptions: EventSubscriptions;
  readonly contextFor: (scope: Scope) => QueryContext;
  /** Who asks; rejects with UNAUTHENTICATED or FORBIDDEN. */
  readonly viewerOf: (request: IncomingMessage) => Promise<Viewer>;
  readonly stays: Stays;
  /** A reservation counts as a connection: it costs a client nothing, and us its memory. */
  readonly connections: Pick<ConnectionLimit, "enter">;
  readonly presentError: (error: unknown) => GraphQLError;
  readonly maxBufferedBytes: number;
  /** What one connection may ask for, a socket or an event stream alike. */
  readonly limits: Pick<SocketConfig, "maxMessageBytes" | "maxOperations" | "maxOperationIdLength">;
  /** A reader that has taken nothing for so long is cut. Milliseconds. */
  readonly stallTimeout: number;
  /** A reservation that is not taken up by then is given up. Milliseconds. @default 10_000 */
  readonly reservationTime?: number | undefined;
}

/**
 * GraphQL over SSE in its single connection mode, for browsers that have but six connections: a stream is reserved,
 * listened to, and operations are begun and ended by requests that name it. It lives in this process: a proxy before
 * several must send all requests of one stream to one of them.
 */
export interface GraphqlStream {
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Streams that are open or reserved. */
  readonly open: number;
  /** Breaks the streams off, so that their clients come back with their place. */
  close(): void;
}

/** What the library carries along with a request. */
interface Exchange {
  readonly token: string;
  readonly viewer: Viewer;
  /** undefined for a reservation. */
  readonly stream: SharedStream | undefined;
}

type SharedRequest = Request<IncomingMessage, Exchange>;

export function createGraphqlStream(options: GraphqlStreamOptions): GraphqlStream {
  const { documents, presentError, limits, reservationTime = RESERVATION_TIME } = options;
  const streams = new Map<string, SharedStream>();

  const handler = createHandler<IncomingMessage, Exchange, QueryContext & Record<PropertyKey, unknown>>({
    authenticate: ({ context }) => context.token,
    onSubscribe({ context }, { query, operationName, variables, extensions }) {
      const document = documents.get({ query, extensions });
      if (!("kind" in document)) return refusal(400, document.map(presentError));
      const args: SharedArgs = {
        schema: options.schema,
        document,
        operationName: operationName ?? null,
        variableValues: variables ?? null,
        contextValue: { ...options.contextFor(context.viewer.scope) },
        hideSuggestions: documents.hideSuggestions,
        exchange: context,
        after: typeof extensions?.after === "string" ? extensions.after : undefined,
      };
      return args;
    },
    execute: async (args) => presented(await execute(args), presentError),
    async subscribe(args) {
      const { scope } = args.contextValue;
      const { after, exchange, ...rest } = args as SharedArgs;
      const results = await subscribeToResults({ ...rest, contextValue: { scope } }, after, {
        ...options,
        stay: (onEnd) =>
          options.stays.begin(exchange.viewer, (error) => {
            exchange.stream?.dropWaiting();
            onEnd(error);
          }),
      });
      return "next" in results ? results : presented(results, presentError);
    },
    // The library queues without a bound: the next result is fetched when the stream has taken the last.
    onNext: (_context, { context }) => context.stream?.flowing,
    onComplete: (_context, { context }) => context.stream?.leave(),
  });

  /** The stream that a request names, where it is the same viewer's. */
  const streamOf = (token: string | null, viewer: Viewer): SharedStream => {
    const stream = token === null ? undefined : streams.get(token);
    if (stream?.owner === ownerOf(viewer)) return stream;
    throw new ServiceError("NOT_FOUND", "There is no such stream here. Reserve one with PUT.");
  };

  const reserve = async (request: IncomingMessage, response: ServerResponse, viewer: Viewer): Promise<void> => {
    const token = tokenOf(request) ?? randomUUID();
    if (!TOKEN.test(token)) {
      throw new ServiceError("BAD_USER_INPUT", "A stream's token has 16 to 128 letters, digits, - and _.");
    }
    if (streams.has(token)) {
      return answer(response, await handler(asked("PUT", request, { token, viewer, stream: undefined })));
    }
    const leave = options.connections.enter(request);
    // Taken up by ourselves and ended at once: the library knows no other way to give a reservation up.
    const giveUp = async (): Promise<void> => {
      const [body] = await handler(asked("GET", request, { token, viewer, stream }));
      if (body !== null && typeof body !== "string") await body.return();
    };
    const stream = new SharedStream({
      owner: ownerOf(viewer),
      stallTimeout: options.stallTimeout,
      reservationTime,
      giveUp,
      onEnd: () => {
        streams.delete(token);
        leave();
      },
    });
    streams.set(token, stream);
    answer(response, await handler(asked("PUT", request, { token, viewer, stream: undefined })));
  };

  /** Begins an operation on a stream. What is refused leaves nothing behind: its id is free again. */
  const begin = async (request: IncomingMessage, token: string, viewer: Viewer, stream: SharedStream) => {
    const body = operationOf(await readJsonBody(request, limits.maxMessageBytes), documents);
    const id = operationIdOf(body);
    const refused = refusalOfOperation({ id, running: stream.enter() }, limits);
    const exchange = { token, viewer, stream };
    const told = refused === null ? await handler(asked("POST", request, exchange, body)) : refusal(400, [refused]);
    const [, { status }] = told;
    if (status !== BEGUN) stream.leave();
    // The library keeps the id of what it has refused, and takes it for one that runs.
    if (refused === null && status >= 400 && status !== RUNS_ALREADY) {
      await handler({ ...asked("DELETE", request, exchange), url: `?${new URLSearchParams({ operationId: id })}` });
    }
    return told;
  };

  return {
    async handle(request, response) {
      const { method = "" } = request;
      if (!isMethod(method)) {
        response.setHeader("allow", Object.keys(ACCEPT).join(", "));
        throw new ServiceError("METHOD_NOT_ALLOWED", `${GRAPHQL_STREAM_PATH} takes ${Object.keys(ACCEPT).join(", ")}.`);
      }
      const viewer = await options.viewerOf(request);
      if (method === "PUT") return reserve(request, response, viewer);
      const token = tokenOf(request);
      const stream = streamOf(token, viewer);
      const told =
        method === "POST"
          ? await begin(request, token as string, viewer, stream)
          : await handler(asked(method, request, { token: token as string, viewer, stream }));
      const [results] = told;
      if (results === null || typeof results === "string") answer(response, told);
      else await stream.serve(response, results);
    },
    get open() {
      return streams.size;
    },
    close() {
      for (const stream of streams.values()) stream.breakOff();
    },
  };
}

interface SharedArgs extends ExecutionArgs {
  readonly contextValue: QueryContext & Record<PropertyKey, unknown>;
  readonly after: string | undefined;
  readonly exchange: Exchange;
}

function isMethod(method: string): method is keyof typeof ACCEPT {
  return Object.hasOwn(ACCEPT, method);
}

function tokenOf({ headers, url = "" }: IncomingMessage): string | null {
  const token = headers[TOKEN_HEADER];
  if (typeof token === "string" && token !== "") return token;
  return new URL(url, "http://localhost").searchParams.get("token");
}

/** Whose a stream is: who may see more than they who reserved it, or less, is another. */
function ownerOf({ subject, scope }: Viewer): string {
  return `${subject} ${scopeKey(scope)}`;
}

/** As the library reads it. */
function operationIdOf({ extensions }: Record<string, unknown>): string {
  return String((extensions as { operationId?: unknown } | null | undefined)?.operationId ?? "");
}

/** The request as the library reads it: of Accept it knows some spellings only. */
function asked(
  method: keyof typeof ACCEPT,
  raw: IncomingMessage,
  context: Exchange,
  body: Record<string, unknown> | null = null,
): SharedRequest {
  const headers: Record<string, string | undefined> = {
    accept: ACCEPT[method],
    "content-type": raw.headers["content-type"],
  };
  return { method, url: raw.url ?? "", headers: { get: (name) => headers[name] }, body, raw, context };
}

/** Where a persisted operation is named by its id, its text is put in. */
function operationOf(body: unknown, documents: Documents): Record<string, unknown> {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new ServiceError("BAD_USER_INPUT", "The body is no JSON object with a query.");
  }
  return { ...body, query: documents.textOf(body) };
}

function answer(response: ServerResponse, [body, { status, headers }]: Response): void {
  if (status >= 400) {
    const { errors } = (typeof body === "string" ? JSON.parse(body) : {}) as { errors?: ToldError[] };
    const code = CODES[status] ?? "BAD_USER_INPUT";
    const told = (errors ?? [{ message: "The request was refused." }]).map(({ message, extensions, ...rest }) => ({
      message,
      ...rest,
      extensions: { code, ...extensions },
    }));
    response.writeHead(status, { ...headers, "content-type": "application/json; charset=utf-8" });
    response.end(JSON.stringify({ errors: told }));
    return;
  }
  response.writeHead(status, { ...headers, "cache-control": "no-store" }).end(body);
}

interface ToldError {
  readonly message: string;
  readonly extensions?: object;
}

function refusal(status: number, errors: readonly GraphQLError[]): Response {
  return [JSON.stringify({ errors }), { status, statusText: "" }];
}

function presented(result: ExecutionResult, present: (error: unknown) => GraphQLError): ExecutionResult {
  return result.errors === undefined ? result : { ...result, errors: result.errors.map(present) };
}
