/* eslint-disable */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { TypedDocumentNode as DocumentNode } from '@graphql-typed-document-node/core';
/** The kinds of event, spelled as in Mandrill's webhooks. */
export type EventType =
  /** An entry of Mandrill's denylist was added, removed or changed. */
  | 'blacklist'
  /** The recipient has clicked a link in the message. */
  | 'click'
  /** The recipient's server has put the message off; Mandrill will try again. */
  | 'deferral'
  /** The recipient's server has accepted the message. */
  | 'delivered'
  /** The message was refused for good: the address does not exist, for instance. */
  | 'hard_bounce'
  /** Mandrill has received mail for one of your inbound routes. */
  | 'inbound'
  /** The recipient has opened the message. */
  | 'open'
  /** A kind that this version of the service does not know; the event's `name` tells which. */
  | 'other'
  /** Mandrill has not sent the message: the recipient is on its denylist, for instance. */
  | 'reject'
  /** Mandrill has sent the message to the recipient's server. */
  | 'send'
  /** The message was refused for now: the mailbox is full, for instance. */
  | 'soft_bounce'
  /** The recipient has marked the message as spam. */
  | 'spam'
  /** The recipient has unsubscribed. */
  | 'unsub'
  /** An entry of Mandrill's allowlist was added or removed. */
  | 'whitelist';

export type EventCountsQueryVariables = Exact<{
  from: string;
  to: string;
  buckets?: number | null | undefined;
  types?: ReadonlyArray<EventType> | EventType | null | undefined;
}>;


export type EventCountsQuery = { readonly eventCounts: ReadonlyArray<{ readonly from: string, readonly to: string, readonly type: EventType, readonly count: number }> };

export type EventReceivedSubscriptionVariables = Exact<{
  types?: ReadonlyArray<EventType> | EventType | null | undefined;
  email?: string | null | undefined;
  after?: string | null | undefined;
}>;


export type EventReceivedSubscription = { readonly eventReceived:
    | { readonly __typename: 'BounceEvent', readonly id: string, readonly cursor: string, readonly type: EventType, readonly occurredAt: string | null, readonly email: string | null }
    | { readonly __typename: 'ClickEvent', readonly url: string | null, readonly id: string, readonly cursor: string, readonly type: EventType, readonly occurredAt: string | null, readonly email: string | null }
    | { readonly __typename: 'DeferralEvent', readonly id: string, readonly cursor: string, readonly type: EventType, readonly occurredAt: string | null, readonly email: string | null }
    | { readonly __typename: 'DeliveredEvent', readonly id: string, readonly cursor: string, readonly type: EventType, readonly occurredAt: string | null, readonly email: string | null }
    | { readonly __typename: 'InboundEvent', readonly id: string, readonly cursor: string, readonly type: EventType, readonly occurredAt: string | null, readonly email: string | null }
    | { readonly __typename: 'OpenEvent', readonly id: string, readonly cursor: string, readonly type: EventType, readonly occurredAt: string | null, readonly email: string | null }
    | { readonly __typename: 'OtherEvent', readonly id: string, readonly cursor: string, readonly type: EventType, readonly occurredAt: string | null, readonly email: string | null }
    | { readonly __typename: 'RejectEvent', readonly id: string, readonly cursor: string, readonly type: EventType, readonly occurredAt: string | null, readonly email: string | null }
    | { readonly __typename: 'SendEvent', readonly id: string, readonly cursor: string, readonly type: EventType, readonly occurredAt: string | null, readonly email: string | null }
    | { readonly __typename: 'SpamEvent', readonly id: string, readonly cursor: string, readonly type: EventType, readonly occurredAt: string | null, readonly email: string | null }
    | { readonly __typename: 'SyncEvent', readonly id: string, readonly cursor: string, readonly type: EventType, readonly occurredAt: string | null, readonly email: string | null }
    | { readonly __typename: 'UnsubEvent', readonly id: string, readonly cursor: string, readonly type: EventType, readonly occurredAt: string | null, readonly email: string | null }
   };

export type RecipientHistoryQueryVariables = Exact<{
  email: string;
  first?: number | null | undefined;
  after?: string | null | undefined;
  since?: string | null | undefined;
}>;


export type RecipientHistoryQuery = { readonly recentEvents: { readonly head: string, readonly nodes: ReadonlyArray<
      | { readonly __typename: 'BounceEvent', readonly code: number | null, readonly description: string | null, readonly id: string, readonly cursor: string, readonly type: EventType, readonly occurredAt: string | null, readonly receivedAt: string, readonly message: { readonly subject: string | null, readonly tags: ReadonlyArray<string>, readonly metadata: unknown } | null }
      | { readonly __typename: 'ClickEvent', readonly url: string | null, readonly id: string, readonly cursor: string, readonly type: EventType, readonly occurredAt: string | null, readonly receivedAt: string, readonly client: { readonly name: string | null, readonly mobile: boolean | null } | null, readonly message: { readonly subject: string | null, readonly tags: ReadonlyArray<string>, readonly metadata: unknown } | null }
      | { readonly __typename: 'DeferralEvent', readonly id: string, readonly cursor: string, readonly type: EventType, readonly occurredAt: string | null, readonly receivedAt: string, readonly message: { readonly subject: string | null, readonly tags: ReadonlyArray<string>, readonly metadata: unknown } | null }
      | { readonly __typename: 'DeliveredEvent', readonly id: string, readonly cursor: string, readonly type: EventType, readonly occurredAt: string | null, readonly receivedAt: string, readonly message: { readonly subject: string | null, readonly tags: ReadonlyArray<string>, readonly metadata: unknown } | null }
      | { readonly __typename: 'InboundEvent', readonly id: string, readonly cursor: string, readonly type: EventType, readonly occurredAt: string | null, readonly receivedAt: string, readonly message: { readonly subject: string | null, readonly tags: ReadonlyArray<string>, readonly metadata: unknown } | null }
      | { readonly __typename: 'OpenEvent', readonly id: string, readonly cursor: string, readonly type: EventType, readonly occurredAt: string | null, readonly receivedAt: string, readonly client: { readonly name: string | null, readonly mobile: boolean | null } | null, readonly message: { readonly subject: string | null, readonly tags: ReadonlyArray<string>, readonly metadata: unknown } | null }
      | { readonly __typename: 'OtherEvent', readonly id: string, readonly cursor: string, readonly type: EventType, readonly occurredAt: string | null, readonly receivedAt: string, readonly message: { readonly subject: string | null, readonly tags: ReadonlyArray<string>, readonly metadata: unknown } | null }
      | { readonly __typename: 'RejectEvent', readonly id: string, readonly cursor: string, readonly type: EventType, readonly occurredAt: string | null, readonly receivedAt: string, readonly message: { readonly subject: string | null, readonly tags: ReadonlyArray<string>, readonly metadata: unknown } | null }
      | { readonly __typename: 'SendEvent', readonly id: string, readonly cursor: string, readonly type: EventType, readonly occurredAt: string | null, readonly receivedAt: string, readonly message: { readonly subject: string | null, readonly tags: ReadonlyArray<string>, readonly metadata: unknown } | null }
      | { readonly __typename: 'SpamEvent', readonly id: string, readonly cursor: string, readonly type: EventType, readonly occurredAt: string | null, readonly receivedAt: string, readonly message: { readonly subject: string | null, readonly tags: ReadonlyArray<string>, readonly metadata: unknown } | null }
      | { readonly __typename: 'SyncEvent', readonly id: string, readonly cursor: string, readonly type: EventType, readonly occurredAt: string | null, readonly receivedAt: string, readonly message: { readonly subject: string | null, readonly tags: ReadonlyArray<string>, readonly metadata: unknown } | null }
      | { readonly __typename: 'UnsubEvent', readonly id: string, readonly cursor: string, readonly type: EventType, readonly occurredAt: string | null, readonly receivedAt: string, readonly message: { readonly subject: string | null, readonly tags: ReadonlyArray<string>, readonly metadata: unknown } | null }
    >, readonly pageInfo: { readonly hasNextPage: boolean, readonly endCursor: string | null } } };


export const EventCountsDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"EventCounts"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"from"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"DateTime"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"to"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"DateTime"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"buckets"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Int"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"types"}},"type":{"kind":"ListType","type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"EventType"}}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"eventCounts"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"from"},"value":{"kind":"Variable","name":{"kind":"Name","value":"from"}}},{"kind":"Argument","name":{"kind":"Name","value":"to"},"value":{"kind":"Variable","name":{"kind":"Name","value":"to"}}},{"kind":"Argument","name":{"kind":"Name","value":"buckets"},"value":{"kind":"Variable","name":{"kind":"Name","value":"buckets"}}},{"kind":"Argument","name":{"kind":"Name","value":"types"},"value":{"kind":"Variable","name":{"kind":"Name","value":"types"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"from"}},{"kind":"Field","name":{"kind":"Name","value":"to"}},{"kind":"Field","name":{"kind":"Name","value":"type"}},{"kind":"Field","name":{"kind":"Name","value":"count"}}]}}]}}]} as unknown as DocumentNode<EventCountsQuery, EventCountsQueryVariables>;
export const EventReceivedDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"subscription","name":{"kind":"Name","value":"EventReceived"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"types"}},"type":{"kind":"ListType","type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"EventType"}}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"email"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"after"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Cursor"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"eventReceived"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"types"},"value":{"kind":"Variable","name":{"kind":"Name","value":"types"}}},{"kind":"Argument","name":{"kind":"Name","value":"email"},"value":{"kind":"Variable","name":{"kind":"Name","value":"email"}}},{"kind":"Argument","name":{"kind":"Name","value":"after"},"value":{"kind":"Variable","name":{"kind":"Name","value":"after"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"__typename"}},{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"cursor"}},{"kind":"Field","name":{"kind":"Name","value":"type"}},{"kind":"Field","name":{"kind":"Name","value":"occurredAt"}},{"kind":"Field","name":{"kind":"Name","value":"email"}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"ClickEvent"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"url"}}]}}]}}]}}]} as unknown as DocumentNode<EventReceivedSubscription, EventReceivedSubscriptionVariables>;
export const RecipientHistoryDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"RecipientHistory"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"email"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"first"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Int"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"after"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Cursor"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"since"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Cursor"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"recentEvents"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"email"},"value":{"kind":"Variable","name":{"kind":"Name","value":"email"}}},{"kind":"Argument","name":{"kind":"Name","value":"first"},"value":{"kind":"Variable","name":{"kind":"Name","value":"first"}}},{"kind":"Argument","name":{"kind":"Name","value":"after"},"value":{"kind":"Variable","name":{"kind":"Name","value":"after"}}},{"kind":"Argument","name":{"kind":"Name","value":"since"},"value":{"kind":"Variable","name":{"kind":"Name","value":"since"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"nodes"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"__typename"}},{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"cursor"}},{"kind":"Field","name":{"kind":"Name","value":"type"}},{"kind":"Field","name":{"kind":"Name","value":"occurredAt"}},{"kind":"Field","name":{"kind":"Name","value":"receivedAt"}},{"kind":"Field","name":{"kind":"Name","value":"message"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"subject"}},{"kind":"Field","name":{"kind":"Name","value":"tags"}},{"kind":"Field","name":{"kind":"Name","value":"metadata"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"EngagementEvent"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"client"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"name"}},{"kind":"Field","name":{"kind":"Name","value":"mobile"}}]}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"ClickEvent"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"url"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"BounceEvent"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"description"}}]}}]}},{"kind":"Field","name":{"kind":"Name","value":"pageInfo"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"hasNextPage"}},{"kind":"Field","name":{"kind":"Name","value":"endCursor"}}]}},{"kind":"Field","name":{"kind":"Name","value":"head"}}]}}]}}]} as unknown as DocumentNode<RecipientHistoryQuery, RecipientHistoryQueryVariables>;