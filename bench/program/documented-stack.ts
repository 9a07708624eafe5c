/**
 * The stack that a reader of the libraries' documentation would build: GraphQL Yoga, a Pothos schema, graphql-ws on
 * `ws` by Yoga's recipe, and RedisPubSub of graphql-redis-subscriptions with one publish an event. Nothing is stored,
 * no signature is checked: where it does less than the service, that is in its favour.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import SchemaBuilder from "@pothos/core";
import type { ExecutionArgs } from "graphql";
import { RedisPubSub } from "graphql-redis-subscriptions";
import { withFilter } from "graphql-subscriptions";
import { useServer } from "graphql-ws/use/ws";
import { createYoga } from "graphql-yoga";
import { Redis } from "ioredis";
import { WebSocketServer } from "ws";

interface Message {
  readonly subject: string;
  readonly sender: string;
  readonly tags: string[];
  readonly template: string;
}

interface Event {
  readonly id: string;
  readonly type: string;
  readonly email: string;
  readonly occurredAt: string;
  readonly messageId: string;
  readonly messageState: string;
  readonly message: Message;
}

interface RawEvent {
  readonly event: string;
  readonly ts: number;
  readonly _id: string;
  readonly msg: Message & { readonly email: string; readonly _id: string; readonly state: string };
}

const TOPIC = "EVENT_RECEIVED";
const redisUrl = process.env.REDIS_URL ?? "";
const pubsub = new RedisPubSub({ publisher: new Redis(redisUrl), subscriber: new Redis(redisUrl) });

const builder = new SchemaBuilder<{ Objects: { Event: Event; Message: Message } }>({});
builder.objectType("Message", {
  fields: (t) => ({
    subject: t.exposeString("subject"),
    sender: t.exposeString("sender"),
    tags: t.exposeStringList("tags"),
    template: t.exposeString("template"),
  }),
});
builder.objectType("Event", {
  fields: (t) => ({
    id: t.exposeID("id"),
    type: t.exposeString("type"),
    email: t.exposeString("email"),
    occurredAt: t.exposeString("occurredAt"),
    messageId: t.exposeID("messageId"),
    messageState: t.exposeString("messageState"),
    message: t.field({ type: "Message", resolve: (event) => event.message }),
  }),
});
builder.queryType({ fields: (t) => ({ ready: t.boolean({ resolve: () => true }) }) });
builder.subscriptionType({
  fields: (t) => ({
    eventReceived: t.field({
      type: "Event",
      args: { email: t.arg.string() },
      subscribe: (_parent, { email }) => {
        const all = () => pubsub.asyncIterator<{ eventReceived: Event }>(TOPIC);
        if (email == null) return all();
        const filtered = withFilter(all, (payload) => payload?.eventReceived.email === email);
        return filtered(undefined, {}, undefined, undefined) as ReturnType<typeof all>;
      },
      resolve: ({ eventReceived }) => eventReceived,
    }),
  }),
});

const yoga = createYoga({ schema: builder.toSchema(), logging: false });

const server = createServer((request, response) => {
  if (request.url === "/mandrill") receive(request, response);
  else if (request.url === "/ready") response.writeHead(200, { "content-length": 0 }).end();
  else void yoga(request, response);
});

function receive(request: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", async () => {
    const form = new URLSearchParams(Buffer.concat(chunks).toString());
    const batch = JSON.parse(form.get("mandrill_events") ?? "[]") as RawEvent[];
    await Promise.all(batch.map((raw) => pubsub.publish(TOPIC, { eventReceived: eventOf(raw) })));
    response.writeHead(200, { "content-length": 0 }).end();
  });
}

function eventOf({ event, ts, _id, msg }: RawEvent): Event {
  const { subject, sender, tags, template } = msg;
  return {
    id: _id,
    type: event,
    email: msg.email,
    occurredAt: new Date(ts * 1_000).toISOString(),
    messageId: msg._id,
    messageState: msg.state,
    message: { subject, sender, tags, template },
  };
}

interface Envelop {
  execute(args: ExecutionArgs): ReturnType<typeof import("graphql").execute>;
  subscribe(args: ExecutionArgs): ReturnType<typeof import("graphql").subscribe>;
}

// As in Yoga's documentation of subscriptions over WebSocket.
useServer(
  {
    execute: (args) => (args.rootValue as Envelop).execute(args as ExecutionArgs),
    subscribe: (args) => (args.rootValue as Envelop).subscribe(args as ExecutionArgs),
    onSubscribe: async (context, _id, params) => {
      const { schema, execute, subscribe, contextFactory, parse, validate } = yoga.getEnveloped({
        ...context,
        req: context.extra.request,
        socket: context.extra.socket,
        params,
      });
      const args = {
        schema,
        operationName: params.operationName,
        document: parse(params.query),
        variableValues: params.variables,
        contextValue: await contextFactory(),
        rootValue: { execute, subscribe },
      };
      const errors = validate(args.schema, args.document);
      return errors.length > 0 ? errors : args;
    },
  },
  new WebSocketServer({ server, path: yoga.graphqlEndpoint }),
);

server.listen(Number(process.env.PORT), "127.0.0.1");
process.on("SIGTERM", () => process.exit(0));
