import { ApolloClient, gql, InMemoryCache } from "@apollo/client";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { subscriptionExchange, Client as UrqlClient } from "@urql/core";
import type { Client, Sink } from "graphql-ws";
import {
  type ConcreteRequest,
  Environment,
  type GraphQLResponse,
  Network,
  Observable,
  RecordSource,
  requestSubscription,
  Store,
} from "relay-runtime";

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

const TEXT = `subscription Feed($email: String) {
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
      subscription: RELAY_ARTIFACT,
      variables,
      onNext: (data) => heard(data?.eventReceived.messageId ?? "nothing"),
      onError,
    });
    return dispose;
  },
};

/** What relay-compiler makes of {@link TEXT}. */
const RELAY_ARTIFACT: ConcreteRequest = (() => {
  const argumentDefinitions = [{ defaultValue: null, kind: "LocalArgument", name: "email" }] as const;
  const field = (name: string) => ({ alias: null, args: null, kind: "ScalarField", name, storageKey: null }) as const;
  const selections = [
    {
      alias: null,
      args: [{ kind: "Variable", name: "email", variableName: "email" }],
      concreteType: null,
      kind: "LinkedField",
      name: "eventReceived",
      plural: false,
      selections: [field("__typename"), field("id"), field("messageId")],
      storageKey: null,
    },
  ] as const;
  return {
    fragment: { argumentDefinitions, kind: "Fragment", metadata: null, name: "Feed", selections, type: "Subscription" },
    kind: "Request",
    operation: { argumentDefinitions, kind: "Operation", name: "Feed", selections },
    params: { cacheID: "feed", id: null, metadata: {}, name: "Feed", operationKind: "subscription", text: TEXT },
  };
})();

export const LIBRARIES: readonly Library[] = [plain, apollo, urql, relay];
