import type { Environment } from "../../src/config.ts";
import { openEventStream } from "./event-stream-client.ts";
import { jsonBatch, post, type RawEvent } from "./mandrill-post.ts";
import { type RunningService, runService } from "./service.ts";
import { openSharedStream } from "./shared-stream-client.ts";
import type { SocketClient } from "./socket-client.ts";
import { type Claim, FILTER_ARGUMENTS, FILTER_VARIABLES, FILTERS, type Filter, WHOLE_EVENT } from "./tenants.ts";
import { bearer, JWT_SECRET, signToken } from "./tokens.ts";

/** A log with what each tenant was sent, and every way for one of them to ask it. */

export const STATIC = "a-static-token-for-tests";

/**
 * Nothing is compared with what we think that a tenant should see, but with a log that holds nothing else: whatever a
 * viewer can tell apart between the two, in answers, counts, pages or errors, tells of other tenants' events.
 */
export interface World {
  readonly service: RunningService;
  /** The head before anything was posted. */
  readonly origin: string;
  /** The head after everything was. */
  readonly head: string;
}

export const HEAD = "{ recentEvents(first: 1) { head } }";
const PAGE = `{
  nodes ${WHOLE_EVENT} edges { cursor node { id } }
  pageInfo { hasNextPage hasPreviousPage startCursor endCursor } head
}`;
export const RECENT = `query (${FILTER_VARIABLES}, $first: Int, $after: Cursor, $since: Cursor) {
  recentEvents(${FILTER_ARGUMENTS}, first: $first, after: $after, since: $since) ${PAGE}
}`;
export const MESSAGE = `query ($messageId: ID!, $first: Int, $after: Cursor) {
  messageEvents(messageId: $messageId, first: $first, after: $after) ${PAGE}
}`;
export const COUNTS = `query ($from: DateTime!, $to: DateTime!, $types: [EventType!], $email: String, $tag: String, $subaccount: String) {
  eventCounts(from: $from, to: $to, buckets: 1, types: $types, email: $email, tag: $tag, subaccount: $subaccount) { from to type count }
}`;
export const EVENT = `query ($id: ID!) { event(id: $id) ${WHOLE_EVENT} }`;
export const RECEIVED = `subscription (${FILTER_VARIABLES}) { eventReceived(${FILTER_ARGUMENTS}) ${WHOLE_EVENT} }`;

// biome-ignore lint/suspicious/noExplicitAny: whole answers are compared, of whatever shape
export type Json = any;

export async function ask(
  service: RunningService,
  token: string,
  query: string,
  variables: object = {},
): Promise<Json> {
  const response = await fetch(`${service.url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", ...bearer(token) },
    body: JSON.stringify({ query, variables }),
  });
  return response.json();
}

export async function createWorld(events: readonly RawEvent[], env: Environment): Promise<World> {
  const service = await runService({
    env: { ACCESS_TOKENS: STATIC, JWT_SECRET, PING_SECONDS: "0.2", MAX_COST: "1000000", ...env },
  });
  const headNow = async () => (await ask(service, STATIC, HEAD)).data.recentEvents.head;
  const origin = await headNow();
  // One by one: what a tenant is sent does not lie in batches of its own.
  for (const event of events) await post(service.url, jsonBatch([event]));
  return { service, origin, head: await headNow() };
}

export function tokenFor(claim: Claim | { readonly raw: boolean }): Promise<string> {
  return signToken({ mandrill_live: claim as Record<string, unknown> });
}

/** Every page, up to the last. */
export async function pages(world: World, token: string, query: string, variables: object): Promise<Json[]> {
  const all: Json[] = [];
  for (let after: string | null = null; ; ) {
    const answer = await ask(world.service, token, query, { ...variables, after });
    all.push(answer);
    const { pageInfo } = (Object.values(answer.data)[0] as Json) ?? {};
    if (!pageInfo.hasNextPage) return all;
    after = pageInfo.endCursor;
  }
}

/** What the WebSocket brings by each filter, until it has been served up to the log's head. */
export async function received(client: SocketClient, head: string): Promise<Json[]> {
  const results: Json[][] = FILTERS.map(() => []);
  for (;;) {
    const message = await client.next();
    if (message.type === "next") results[Number(message.id)]?.push(message.payload);
    if (message.type !== "ping") continue;
    const positions = Object.values(message.payload.positions);
    if (positions.length === FILTERS.length && positions.every((place) => place === head)) return results;
  }
}

export function subscribeAll(client: SocketClient, after: string | undefined): void {
  for (const [index, filter] of FILTERS.entries()) {
    client.subscribe(String(index), RECEIVED, { variables: filter, ...(after && { extensions: { after } }) });
  }
}

/** What long polling brings, request by request, until it has been served up to the log's head. */
export async function polled(world: World, token: string, filter: Filter): Promise<Json[]> {
  const events: Json[] = [];
  for (let after = world.origin; after !== world.head; ) {
    const query = new URLSearchParams({ ...searchOf(filter), after, wait: "0", raw: "1" });
    const response = await fetch(`${world.service.url}/events?${query}`, {
      headers: { ...bearer(token), accept: "application/json" },
    });
    const page = (await response.json()) as Json;
    events.push(...page.events);
    after = page.head;
  }
  return events;
}

function searchOf({ types, ...rest }: Filter): Record<string, string> {
  return { ...rest, ...(types === undefined ? {} : { types: types.join(",") }) };
}

/** What an event stream brings until its heartbeat says that it has been served up to the log's head. */
export async function streamed(world: World, token: string, filter: Filter): Promise<Json[]> {
  const query = new URLSearchParams({ ...searchOf(filter), after: world.origin, raw: "1" });
  using stream = await openEventStream(`${world.service.url}/events?${query}`, bearer(token));
  const events: Json[] = [];
  for (;;) {
    const { data, id } = await stream.next();
    if (data !== undefined) events.push(data);
    if (id === world.head) return events;
  }
}

/** What GraphQL over SSE brings up to an event that comes last, and is ours by every measure. */
export async function results(world: World, token: string, filter: Filter, last: string): Promise<Json[]> {
  const query = new URLSearchParams({
    query: RECEIVED,
    variables: JSON.stringify(filter),
    extensions: JSON.stringify({ after: world.origin }),
  });
  using stream = await openEventStream(`${world.service.url}/graphql?${query}`, bearer(token));
  const all: Json[] = [];
  for (;;) {
    const { data } = await stream.nextEvent();
    all.push(data);
    if (data.data.eventReceived.id === last) return all;
  }
}

/**
 * What one event stream brings of a query, and by each filter of an operation of its own that was begun before that:
 * until the query is answered and each of them has brought so much.
 */
export async function shared(world: World, token: string, lengths: readonly number[]): Promise<Json[]> {
  using stream = await openSharedStream(world.service.url, bearer(token));
  const results: Json[][] = FILTERS.map(() => []);
  for (const [index, filter] of FILTERS.entries()) {
    await stream.subscribe(String(index), RECEIVED, { variables: filter, extensions: { after: world.origin } });
  }
  await stream.subscribe("query", RECENT, { variables: { first: 500 } });
  let answer: Json;
  while (answer === undefined || results.some(({ length }, index) => length < (lengths[index] as number))) {
    const { id, type, payload } = await stream.next();
    if (type === "complete") continue;
    if (id === "query") answer = payload;
    else results[Number(id)]?.push(payload);
  }
  return [answer, ...results];
}
