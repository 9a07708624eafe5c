import { Client, type CombinedError, fetchExchange, mapExchange, subscriptionExchange } from "urql";
import { createResumingClient, type Client as SocketClient } from "../../client/resuming-client.ts";
import type { Clock } from "./clock.ts";

/** For how long the socket stays without a subscription: another filter takes the former's place. Milliseconds. */
const LINGER = 60_000;

export interface ServiceClient {
  /** Queries over HTTP, subscriptions over the socket. */
  readonly graphql: Client;
  /** The socket alone, to hear how it does. */
  readonly socket: SocketClient;
}

export interface ServiceClientOptions {
  readonly url: URL;
  readonly clock: Clock;
  /** Is told of every error that an operation ends with. */
  readonly onError: (error: CombinedError) => void;
}

/** urql, with subscriptions that keep their place in the event log. */
export function createServiceClient({ url, clock, onError }: ServiceClientOptions): ServiceClient {
  const socket = createResumingClient({
    url: url.href.replace(/^http/, "ws"),
    // A list whose end is missing is of no use: it ends with the server's error, and is loaded anew from the log.
    onGap: () => "end",
    lazyCloseTimeout: LINGER,
  });
  const graphql = new Client({
    url: url.href,
    preferGetMethod: false,
    requestPolicy: "network-only",
    async fetch(input, init) {
      const response = await fetch(input, init);
      clock.learn(response);
      return response;
    },
    exchanges: [
      mapExchange({ onError }),
      subscriptionExchange({
        forwardSubscription: ({ query = "", variables }) => ({
          subscribe: (sink) => ({
            unsubscribe: socket.subscribe({ query, variables: { ...variables } }, sink as never),
          }),
        }),
      }),
      fetchExchange,
    ],
  });
  return { graphql, socket };
}

/** The code of the first error that the service gave one; undefined where the network failed. */
export function codeOf(error: CombinedError): string | undefined {
  for (const { extensions } of error.graphQLErrors) if (typeof extensions?.code === "string") return extensions.code;
  // The socket's own way to say it.
  const closed = error.networkError as { readonly code?: unknown } | undefined;
  return closed?.code === 4401 ? "UNAUTHENTICATED" : undefined;
}

/** What to tell a person of it. */
export function sentenceOf(error: CombinedError): string {
  return error.graphQLErrors[0]?.message ?? "The service cannot be reached.";
}
