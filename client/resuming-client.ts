import {
  type Client,
  type ClientOptions,
  type ConnectionInitMessage,
  createClient,
  type Sink,
} from "graphql-ws/client";
import { createBackOff } from "./back-off.ts";
import { isPassing, isRefusal } from "./close-event.ts";
import type { Gap, GapAnswer, Lag } from "./gap.ts";
import { iterate } from "./iteration.ts";
import { createPatientUrl, type Patience } from "./patient-url.ts";
import { type OperationHost, type Result, ResumingOperation } from "./resuming-operation.ts";
import { watchForSilence } from "./silence-watch.ts";
import { resumable } from "./start-place.ts";

export type { Client } from "graphql-ws/client";
export type { Gap, GapAnswer, Lag } from "./gap.ts";

/** The server pings every 25 seconds; what is late by more is gone. Milliseconds. */
const SILENCE_TIMEOUT = 40_000;

/** Those of graphql-ws's `createClient`, some with other defaults, and what a client that resumes can tell. */
export interface ResumingClientOptions<P extends ConnectionInitMessage["payload"] = ConnectionInitMessage["payload"]>
  extends ClientOptions<P> {
  /**
   * Is told when an operation has missed events for good, and may answer how it goes on, at once or by a promise;
   * without an answer as `gap.goesOn` says. What it throws goes to the operation's sink. Without `onGap` a gap ends
   * its operation: the sink gets the server's error.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: a listener that answers nothing, such as a state's setter, is one
  onGap?: ((gap: Gap) => GapAnswer | void | PromiseLike<GapAnswer | void>) | undefined;
  /** Is told when an operation read too slowly for the server and has been resumed. Nothing is lost. */
  onLag?: ((lag: Lag) => void) | undefined;
  /**
   * For so many milliseconds a connection may be silent, its making included, before it is terminated and made anew.
   * The server pings every 25 seconds. 0 turns it off.
   *
   * @default 40_000
   */
  silenceTimeout?: number | undefined;
  /**
   * As in graphql-ws, but without end.
   *
   * @default Infinity
   */
  retryAttempts?: number;
  /**
   * As in graphql-ws.
   *
   * @default At random within the first second, then within the upper half of 2, 4, 8, 16 and from then on 30 seconds
   */
  retryWait?: (retries: number) => Promise<void>;
  /**
   * As in graphql-ws, but everything is worth another attempt that may pass without help, the close codes 1011, 1015,
   * 4429 and 4500 and errors that are no close events included. 4401 and 4403 are where `connectionParams` or `url` is
   * a function, which is asked again: once, until a connection has been acknowledged. The other close codes that
   * graphql-ws lists as fatal are so here too. What graphql-ws gives up by itself takes an operation to be tried again:
   * with `lazy: false` and none running, `onNonLazyError` is called.
   *
   * @default () => true
   */
  shouldRetry?: (errOrCloseEvent: unknown) => boolean;
  /**
   * As in graphql-ws, but the ids are short, since the server sends one with every event, and unique to this client.
   */
  generateID?: NonNullable<ClientOptions["generateID"]>;
}

/**
 * A GraphQL over WebSocket client that misses nothing: graphql-ws's own, for Apollo Client, urql, Relay and plain use,
 * whose subscriptions keep their place in mandrill-live's event log and go on there after every disconnect, in order
 * and without a doublet. What is lost all the same is told to `onGap`.
 *
 * The place is sent as `extensions.after` of a repeated subscribe message; document and variables stay as they are. An
 * `after` of the application's own, as argument or in `extensions`, is where the operation begins. Queries and
 * mutations pass as they are, and so do results without `extensions.cursor`.
 */
export function createResumingClient<P extends ConnectionInitMessage["payload"] = ConnectionInitMessage["payload"]>(
  options: ResumingClientOptions<P>,
): Client {
  const backOff = createBackOff();
  const {
    onGap,
    onLag,
    silenceTimeout = SILENCE_TIMEOUT,
    retryAttempts = Number.POSITIVE_INFINITY,
    retryWait = backOff.wait,
    shouldRetry = () => true,
    generateID = countedIds(),
    url,
    ...others
  } = options;
  const operations = new Set<ResumingOperation>();
  const asksAgain = typeof url === "function" || typeof options.connectionParams === "function";
  let head: string | undefined;
  let connected = false;
  let disposed = false;
  let refusals = 0;
  let newestId = "";
  let pausing: Promise<void> | undefined;
  let socket: WebSocketHandlers | undefined;

  const patience: Patience = {
    wait: retryWait,
    isOver: () => disposed,
    onError: (error) => options.on?.error?.(error),
  };
  const client = createClient<P>({
    ...others,
    url: typeof url === "function" ? createPatientUrl(url, patience) : url,
    retryAttempts,
    retryWait,
    // What is refused is for the operation to try again: graphql-ws never would after 4401, and always after 4403.
    shouldRetry: (event) => !isRefusal(event) && shouldRetry(event),
    generateID(payload) {
      newestId = generateID(payload);
      return newestId;
    },
  });

  client.on("connecting", () => {
    // A former socket that closes slowly would speak for the new one: graphql-ws tells neither by socket.
    if (socket !== undefined) silence(socket);
  });
  client.on("opened", (opened) => {
    socket = opened as WebSocketHandlers;
  });
  client.on("connected", (_, payload) => {
    connected = true;
    refusals = 0;
    head = cursorIn(payload, "head");
  });
  client.on("ping", (received, payload) => {
    // Between a terminated connection and the next nobody listens: what that one says was served has not arrived.
    if (!received || !connected) return;
    head = cursorIn(payload, "head") ?? head;
    for (const operation of operations) {
      const cursor = operation.id === undefined ? undefined : cursorIn(payload?.positions, operation.id);
      if (cursor !== undefined) operation.moveTo(cursor);
    }
  });
  const disconnected = (): void => {
    connected = false;
  };
  client.on("error", disconnected);
  client.on("closed", (event) => {
    disconnected();
    if (isRefusal(event)) refusals += 1;
  });
  if (silenceTimeout > 0 && Number.isFinite(silenceTimeout)) watchForSilence(client, silenceTimeout);

  const host: OperationHost = {
    get head() {
      return head;
    },
    open(payload, sink) {
      const close = client.subscribe(payload, sink);
      // graphql-ws has asked for it by now.
      return { id: newestId, close };
    },
    survives(error, attempt) {
      if (attempt >= retryAttempts || !shouldRetry(error)) return false;
      return isPassing(error) || (isRefusal(error) && asksAgain && refusals <= 1);
    },
    // Operations that fail together try again together, on one connection.
    pause(attempt) {
      pausing ??= retryWait(attempt).finally(() => {
        pausing = undefined;
      });
      return pausing;
    },
    onGap,
    onLag,
    left: (operation) => operations.delete(operation),
  };

  const subscribe: Client["subscribe"] = (payload, sink) => {
    const found = resumable(payload);
    if (found === null) return client.subscribe(payload, sink);
    const operation = new ResumingOperation(payload, found.start, sink as Sink<Result>, host);
    operations.add(operation);
    operation.open();
    return () => operation.stop();
  };

  return {
    on: client.on,
    subscribe,
    iterate: (payload) => iterate((sink) => subscribe(payload, sink)),
    terminate: () => client.terminate(),
    async dispose() {
      disposed = true;
      for (const operation of operations) operation.stop();
      backOff.end();
      const disposing = Promise.resolve(client.dispose());
      // One that is only being made may never be; graphql-ws then rejects with its close event.
      if (connected) await disposing;
      else disposing.catch(() => {});
    },
  };
}

/** The properties through which graphql-ws listens to a WebSocket. */
interface WebSocketHandlers {
  onmessage: unknown;
  onclose: unknown;
  onerror: unknown;
}

function silence(socket: WebSocketHandlers): void {
  const ignore = (): void => {};
  socket.onmessage = ignore;
  socket.onclose = ignore;
  socket.onerror = ignore;
}

function countedIds(): () => string {
  let count = 0;
  return () => {
    count += 1;
    return String(count);
  };
}

function cursorIn(record: unknown, name: string): string | undefined {
  const cursor = (record as Readonly<Record<string, unknown>> | null | undefined)?.[name];
  return typeof cursor === "string" ? cursor : undefined;
}
