import SchemaBuilder from "@pothos/core";
import type { Json } from "../event/event.ts";
import type { LiveEntry } from "../event/live-entry.ts";
import type { EventContext, QueryContext } from "./context.ts";

type Scalars = {
  /** Milliseconds since the Unix epoch. */
  DateTime: { Input: number; Output: number };
  JSON: { Input: Json; Output: Json };
  Cursor: { Input: string; Output: string };
  ID: { Input: string; Output: string };
};

/**
 * Takes the types that describe events and the subscription. Its resolvers see {@link EventContext} alone; they are
 * synchronous and throw nothing, for they run once per event and group of subscribers.
 */
export const builder = new SchemaBuilder<{ Scalars: Scalars; Context: EventContext; Root: LiveEntry }>({});

type QueryBuilder = PothosSchemaTypes.SchemaBuilder<
  PothosSchemaTypes.ExtendDefaultTypes<{ Scalars: Scalars; Context: QueryContext }>
>;

/** The same builder, for `Query` and what only it returns: their resolvers see {@link QueryContext}. */
export const queryBuilder = builder as unknown as QueryBuilder;
