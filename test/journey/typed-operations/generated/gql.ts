/* eslint-disable */
import * as types from './graphql.ts';
import type { TypedDocumentNode as DocumentNode } from '@graphql-typed-document-node/core';

/**
 * Map of all GraphQL operations in the project.
 *
 * This map has several performance disadvantages:
 * 1. It is not tree-shakeable, so it will include all operations in the project.
 * 2. It is not minifiable, so the string of a GraphQL query will be multiple times inside the bundle.
 * 3. It does not support dead code elimination, so it will add unused operations.
 *
 * Therefore it is highly recommended to use the babel or swc plugin for production.
 * Learn more about it here: https://the-guild.dev/graphql/codegen/plugins/presets/preset-client#reducing-bundle-size
 */
type Documents = {
    "query EventCounts($from: DateTime!, $to: DateTime!, $buckets: Int, $types: [EventType!]) {\n  eventCounts(from: $from, to: $to, buckets: $buckets, types: $types) {\n    from\n    to\n    type\n    count\n  }\n}": typeof types.EventCountsDocument,
    "subscription EventReceived($types: [EventType!], $email: String, $after: Cursor) {\n  eventReceived(types: $types, email: $email, after: $after) {\n    __typename\n    id\n    cursor\n    type\n    occurredAt\n    email\n    ... on ClickEvent {\n      url\n    }\n  }\n}": typeof types.EventReceivedDocument,
    "query RecipientHistory($email: String!, $first: Int, $after: Cursor, $since: Cursor) {\n  recentEvents(email: $email, first: $first, after: $after, since: $since) {\n    nodes {\n      __typename\n      id\n      cursor\n      type\n      occurredAt\n      receivedAt\n      message {\n        subject\n        tags\n        metadata\n      }\n      ... on EngagementEvent {\n        client {\n          name\n          mobile\n        }\n      }\n      ... on ClickEvent {\n        url\n      }\n      ... on BounceEvent {\n        code\n        description\n      }\n    }\n    pageInfo {\n      hasNextPage\n      endCursor\n    }\n    head\n  }\n}": typeof types.RecipientHistoryDocument,
};
const documents: Documents = {
    "query EventCounts($from: DateTime!, $to: DateTime!, $buckets: Int, $types: [EventType!]) {\n  eventCounts(from: $from, to: $to, buckets: $buckets, types: $types) {\n    from\n    to\n    type\n    count\n  }\n}": types.EventCountsDocument,
    "subscription EventReceived($types: [EventType!], $email: String, $after: Cursor) {\n  eventReceived(types: $types, email: $email, after: $after) {\n    __typename\n    id\n    cursor\n    type\n    occurredAt\n    email\n    ... on ClickEvent {\n      url\n    }\n  }\n}": types.EventReceivedDocument,
    "query RecipientHistory($email: String!, $first: Int, $after: Cursor, $since: Cursor) {\n  recentEvents(email: $email, first: $first, after: $after, since: $since) {\n    nodes {\n      __typename\n      id\n      cursor\n      type\n      occurredAt\n      receivedAt\n      message {\n        subject\n        tags\n        metadata\n      }\n      ... on EngagementEvent {\n        client {\n          name\n          mobile\n        }\n      }\n      ... on ClickEvent {\n        url\n      }\n      ... on BounceEvent {\n        code\n        description\n      }\n    }\n    pageInfo {\n      hasNextPage\n      endCursor\n    }\n    head\n  }\n}": types.RecipientHistoryDocument,
};

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 *
 *
 * @example
 * ```ts
 * const query = graphql(`query GetUser($id: ID!) { user(id: $id) { name } }`);
 * ```
 *
 * The query argument is unknown!
 * Please regenerate the types.
 */
export function graphql(source: string): unknown;

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query EventCounts($from: DateTime!, $to: DateTime!, $buckets: Int, $types: [EventType!]) {\n  eventCounts(from: $from, to: $to, buckets: $buckets, types: $types) {\n    from\n    to\n    type\n    count\n  }\n}"): (typeof documents)["query EventCounts($from: DateTime!, $to: DateTime!, $buckets: Int, $types: [EventType!]) {\n  eventCounts(from: $from, to: $to, buckets: $buckets, types: $types) {\n    from\n    to\n    type\n    count\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "subscription EventReceived($types: [EventType!], $email: String, $after: Cursor) {\n  eventReceived(types: $types, email: $email, after: $after) {\n    __typename\n    id\n    cursor\n    type\n    occurredAt\n    email\n    ... on ClickEvent {\n      url\n    }\n  }\n}"): (typeof documents)["subscription EventReceived($types: [EventType!], $email: String, $after: Cursor) {\n  eventReceived(types: $types, email: $email, after: $after) {\n    __typename\n    id\n    cursor\n    type\n    occurredAt\n    email\n    ... on ClickEvent {\n      url\n    }\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query RecipientHistory($email: String!, $first: Int, $after: Cursor, $since: Cursor) {\n  recentEvents(email: $email, first: $first, after: $after, since: $since) {\n    nodes {\n      __typename\n      id\n      cursor\n      type\n      occurredAt\n      receivedAt\n      message {\n        subject\n        tags\n        metadata\n      }\n      ... on EngagementEvent {\n        client {\n          name\n          mobile\n        }\n      }\n      ... on ClickEvent {\n        url\n      }\n      ... on BounceEvent {\n        code\n        description\n      }\n    }\n    pageInfo {\n      hasNextPage\n      endCursor\n    }\n    head\n  }\n}"): (typeof documents)["query RecipientHistory($email: String!, $first: Int, $after: Cursor, $since: Cursor) {\n  recentEvents(email: $email, first: $first, after: $after, since: $since) {\n    nodes {\n      __typename\n      id\n      cursor\n      type\n      occurredAt\n      receivedAt\n      message {\n        subject\n        tags\n        metadata\n      }\n      ... on EngagementEvent {\n        client {\n          name\n          mobile\n        }\n      }\n      ... on ClickEvent {\n        url\n      }\n      ... on BounceEvent {\n        code\n        description\n      }\n    }\n    pageInfo {\n      hasNextPage\n      endCursor\n    }\n    head\n  }\n}"];

export function graphql(source: string) {
  return (documents as any)[source] ?? {};
}

export type DocumentType<TDocumentNode extends DocumentNode<any, any>> = TDocumentNode extends DocumentNode<  infer TType,  any>  ? TType  : never;