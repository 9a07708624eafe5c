import { randomUUID } from "node:crypto";
import { type Client, createClient, type ExecutionResult } from "graphql-ws";
import type { Config } from "../../config.ts";
import { batchRequest } from "../simulate/signed-batch.ts";
import { exchange } from "./exchange.ts";
import { type Finding, fail, note, ok, saidOf, skip } from "./finding.ts";
import { readerToken } from "./reader-token.ts";

const WHAT = "subscription";
/** Milliseconds for an event that is there already, or has just been posted. */
const TIMEOUT = 10_000;

const NEWEST = "{ recentEvents(first: 2) { head nodes { id cursor } } }";
const AFTER = "subscription ($after: Cursor) { eventReceived(after: $after) { id } }";
const MARKED =
  "subscription ($after: Cursor, $messageId: ID) { eventReceived(after: $after, messageId: $messageId) { id } }";

export interface SubscriptionOptions {
  /** Where the service listens. */
  readonly url: string;
  readonly config: Config;
  /** @default one of ACCESS_TOKENS, or one that JWT_SECRET signs */
  readonly token?: string | undefined;
  /** Whether a marked event may be posted, which everybody who listens to everything is shown. */
  readonly post: boolean;
}

interface Newest {
  readonly head: string;
  readonly nodes: readonly { readonly id: string; readonly cursor: string }[];
}

/**
 * Whether a subscription receives. Without `post` nothing is written: it resumes one event before the newest, and has
 * to be handed that one, by the way that every event goes from the log to a socket.
 */
export async function lookAtSubscription(options: SubscriptionOptions): Promise<Finding> {
  const { config, url } = options;
  if (config.documents.persistedFile !== undefined) {
    return skip(WHAT, "Not looked at: with PERSISTED_OPERATIONS the service executes no document of the doctor's");
  }
  const token = options.token ?? (await readerToken(config.access));
  if (token === null)
    return note(WHAT, "Not looked at: no token can be made from these settings", "Give one with --token");
  const client = createClient({
    url: `${url.replace(/^http/, "ws")}/graphql`,
    retryAttempts: 0,
    connectionParams: token === undefined ? {} : { authorization: `Bearer ${token}` },
  });
  try {
    const { recentEvents } = (await first(client, NEWEST, {})) as { recentEvents: Newest };
    return options.post ? await posted(client, recentEvents, options) : await resumed(client, recentEvents);
  } catch (error) {
    return fail(WHAT, `Nothing is received: ${reasonOf(error)}`, "docs/errors.md tells what the code means");
  } finally {
    await client.dispose();
  }
}

async function resumed(client: Client, { head, nodes: [newest, before] }: Newest): Promise<Finding> {
  if (newest === undefined || before === undefined) {
    const subscription = client.iterate({ query: AFTER, variables: { after: head } });
    const next = subscription.next();
    // Messages of a socket are taken in order: with this answer the subscription has been taken, or refused.
    const refused = next.then(({ value }) => value?.errors);
    await Promise.race([first(client, "{ __typename }", {}), refused.then((errors) => throwing(errors))]);
    await subscription.return?.();
    return ok(WHAT, "It stands; the log has no two events to prove more with (--post does)");
  }
  const data = (await first(client, AFTER, { after: before.cursor })) as { eventReceived: { id: string } };
  return data.eventReceived.id === newest.id
    ? ok(WHAT, "It receives: the newest event has come again, from the one before on")
    : fail(WHAT, "Behind the second newest event another came than the newest", "Report it, with the service's log");
}

async function posted(client: Client, { head }: Newest, { url, config }: SubscriptionOptions): Promise<Finding> {
  const messageId = `doctor-${randomUUID()}`;
  const arrival = first(client, MARKED, { after: head, messageId });
  arrival.catch(() => {});
  const [key, signed] = [config.webhook.keys[0], config.webhook.urls[0]];
  const event = { event: "mandrill_live_doctor", _id: messageId, ts: Math.floor(Date.now() / 1_000) };
  const { body, headers } = batchRequest(
    [event],
    key === undefined || signed === undefined ? null : { key, url: signed },
  );
  const startedAt = performance.now();
  const answer = await exchange(`${url}/mandrill`, { method: "POST", body, headers: { ...headers } });
  if (typeof answer === "string" || answer.status !== 200) {
    const said = typeof answer === "string" ? answer : `it was answered ${answer.status}`;
    return fail(WHAT, `The event could not be posted: ${said}`, "See the lines above");
  }
  await arrival;
  return ok(WHAT, `It receives: a posted event came within ${Math.round(performance.now() - startedAt)} ms`);
}

/** The data of an operation's first result. */
async function first(client: Client, query: string, variables: Record<string, unknown>): Promise<unknown> {
  const results = client.iterate({ query, variables });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing within ${TIMEOUT / 1_000} s`)), TIMEOUT);
  });
  try {
    const { value } = (await Promise.race([results.next(), late])) as IteratorResult<ExecutionResult, undefined>;
    throwing(value?.errors);
    return value?.data;
  } finally {
    clearTimeout(timer);
    results.return?.()?.catch(() => {});
  }
}

function throwing(errors: readonly unknown[] | undefined): void {
  if (errors !== undefined) throw errors;
}

/** What graphql-ws throws: the operation's errors, or the event of a socket that closed. */
function reasonOf(error: unknown): string {
  if (Array.isArray(error)) {
    const { message, extensions } = error[0] as { message: string; extensions?: { code?: string } };
    return [extensions?.code, saidOf(message)].filter((part) => part !== undefined).join(", ");
  }
  if (error instanceof Error) return saidOf(error);
  const { code, reason } = error as { code?: number; reason?: string };
  if (code === undefined) return "the connection failed";
  return reason ? `the socket was closed with ${code}, ${reason}` : `the socket was closed with ${code}`;
}
