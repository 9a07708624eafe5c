import { ApolloClient, gql, InMemoryCache } from "@apollo/client";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { subscriptionExchange, Client as UrqlClient } from "@urql/core";
import type { Client, Sink } from "graphql-ws";
import {
  Environment,
  type GraphQLResponse,
  Network,
  Observable,
  RecordSource,
  requestSubscription,
  Store,
} from "relay-runtime";
import { compileByRelay } from "../../harness/relay.ts";

/** What a subscription is asked for. */
export interface Wanted {
  readonly email?: string | undefined;
}

/** A GraphQL client library over a graphql-ws client, as its documentation puts them together. */
export interface Library {
  readonly name: string;
  /** Subscribes to events; `heard` gets each one's message id. Returns the function that ends it. */
  subscribe(client: Client, wanted: Wanted, heard: (messageId: string) => void, failed: Failed): () => void;
}

type Failed = (error: unknown) => void;

interface Data {
  readonly eventReceived: { readonly messageId: string };
}

const NAME = "FeedSubscription";
const TEXT = `subscription ${NAME}($email: String) {
  eventReceived(email: $email) {
    __typename
    id
    messageId
  }
}`;

const plain: Library = {
  name: "the client by itself",
  subscribe: (client, variables, heard, error) =>
    client.subscribe<Data & Record<string, unknown>>(
      { query: TEXT, variables: { ...variables } },
      { next: ({ data }) => heard(data?.eventReceived.messageId ?? "nothing"), error, complete: () => {} },
    ),
};

const apollo: Library = {
  name: "Apollo Client",
  subscribe(client, variables, heard, error) {
    const apolloClient = new ApolloClient({ link: new GraphQLWsLink(client), cache: new InMemoryCache() });
    const subscription = apolloClient
      .subscribe<Data>({ query: gql(TEXT), variables: { ...variables } })
      .subscribe({ next: ({ data }) => heard(data?.eventReceived.messageId ?? "nothing"), error });
    return () => subscription.unsubscribe();
  },
};

const urql: Library = {
  name: "urql",
  subscribe(client, variables, heard, failed) {
    const exchange = subscriptionExchange({
      forwardSubscription: ({ query = "", variables, operationName, extensions }) => ({
        subscribe: (sink) => ({
          unsubscribe: client.subscribe(
            { query, variables: variables as Record<string, unknown>, operationName, extensions },
            sink as Sink,
          ),
        }),
      }),
    });
    const urqlClient = new UrqlClient({ url: "http://127.0.0.1", exchanges: [exchange], preferGetMethod: false });
    const { unsubscribe } = urqlClient.subscription<Data>(TEXT, { ...variables }).subscribe(({ data, error }) => {
      if (error === undefined) heard(data?.eventReceived.messageId ?? "nothing");
      else failed(error);
    });
    return unsubscribe;
  },
};

const ARTIFACT = await compileByRelay(NAME, TEXT);

const relay: Library = {
  name: "Relay",
  subscribe(client, variables, heard, onError) {
    const network = Network.create(
      () => Promise.reject(new Error("no queries here")),
      ({ name, text }, given) =>
        Observable.create<GraphQLResponse>((sink) =>
          client.subscribe({ operationName: name, query: text ?? "", variables: given }, sink as unknown as Sink),
        ),
    );
    const environment = new Environment({ network, store: new Store(new RecordSource()) });
    const { dispose } = requestSubscription<{ variables: Wanted; response: Data }>(environment, {
      subscription: ARTIFACT,
      variables,
      onNext: (data) => heard(data?.eventReceived.messageId ?? "nothing"),
      onError,
    });
    return dispose;
  },
};

export const LIBRARIES: readonly Library[] = [plain, apollo, urql, relay];
