import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { GRAPHQL_TRANSPORT_WS_PROTOCOL } from "graphql-ws";
import { WebSocket } from "ws";
import { ERRORS } from "../../src/error.ts";

/** What is asked, whatever carries it. */
export interface Ask {
  /** @default a subscription that is good */
  readonly query?: string | undefined;
  readonly extensions?: Record<string, unknown> | undefined;
  /** A bearer's token. */
  readonly token?: string | undefined;
  /** @default none: no browser */
  readonly origin?: string | undefined;
  /** @default that of the URL */
  readonly host?: string | undefined;
  /** Several operations where one belongs. */
  readonly batch?: boolean | undefined;
}

/** One way to ask for events. */
export interface Transport {
  readonly name: string;
  /** Whether it takes GraphQL documents: if not, only who asks is judged. */
  readonly takesDocuments: boolean;
  /** The code by which the service at `url` refuses; `"taken"` where it does not. */
  refusal(url: string, ask: Ask): Promise<string>;
}

export interface Answered {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  /** The body, of an event stream what came up to the end of its first event. */
  readonly text: string;
}

/** A request by node:http, which lets Host and Origin be what one likes. */
export async function exchange(
  url: string,
  options: { readonly method?: string; readonly headers?: Record<string, string>; readonly body?: string } = {},
): Promise<Answered> {
  const { method = "GET", headers = {}, body } = options;
  const request = httpRequest(url, { method, headers, agent: false });
  request.end(body);
  const [response] = (await once(request, "response")) as [IncomingMessage];
  const isStream = response.headers["content-type"]?.startsWith("text/event-stream") === true;
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) {
    text += chunk;
    if (isStream && /^event: [\s\S]*?\n\n/m.test(text)) break;
  }
  request.destroy();
  return { status: response.statusCode ?? 0, headers: response.headers, text };
}

const GOOD = "subscription { eventReceived { id } }";

function headersOf({ token, origin, host }: Ask): Record<string, string> {
  return {
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(origin === undefined ? {} : { origin }),
    ...(host === undefined ? {} : { host }),
  };
}

function payloadOf({ query = GOOD, extensions, batch }: Ask): object {
  const one = { query, ...(extensions === undefined ? {} : { extensions }) };
  return batch === true ? [one, one] : one;
}

/** The code in whatever form it was told: JSON of ours, a GraphQL result, an event stream with one. */
function codeIn({ text }: Pick<Answered, "text">): string {
  return /"code":"([A-Z_]+)"/.exec(text)?.[1] ?? "taken";
}

/** A good document over plain HTTP is a query: a subscription has no answer there. */
const GOOD_QUERY = "{ recentEvents(first: 1) { head } }";

const overHttp: Transport = {
  name: "HTTP",
  takesDocuments: true,
  refusal: async (url, ask) =>
    codeIn(
      await exchange(`${url}/graphql`, {
        method: "POST",
        headers: { ...headersOf(ask), "content-type": "application/json", accept: "application/json" },
        body: JSON.stringify(payloadOf({ query: GOOD_QUERY, ...ask })),
      }),
    ),
};

const overSse: Transport = {
  name: "SSE",
  takesDocuments: true,
  refusal: async (url, ask) =>
    codeIn(
      await exchange(`${url}/graphql`, {
        method: "POST",
        headers: { ...headersOf(ask), "content-type": "application/json", accept: "text/event-stream" },
        body: JSON.stringify(payloadOf({ query: GOOD_QUERY, ...ask })),
      }),
    ),
};

const overSharedSse: Transport = {
  name: "SSE, many operations on one stream",
  takesDocuments: true,
  async refusal(url, ask) {
    const stream = `${url}/graphql/stream`;
    const reserved = await exchange(stream, { method: "PUT", headers: headersOf(ask) });
    if (reserved.status >= 400) return codeIn(reserved);
    const headers = { ...headersOf(ask), "x-graphql-event-stream-token": reserved.text };
    const payload = payloadOf({ query: GOOD_QUERY, ...ask, extensions: { ...ask.extensions, operationId: "1" } });
    const begun = await exchange(stream, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body: JSON.stringify(payload),
    });
    // What an operation comes to is told on the stream.
    return codeIn(begun.status >= 400 ? begun : await exchange(stream, { headers }));
  },
};

const CODE_BY_CLOSE = new Map<number | null, string>(Object.entries(ERRORS).map(([code, { close }]) => [close, code]));

const overWebSocket: Transport = {
  name: "WebSocket",
  takesDocuments: true,
  async refusal(url, ask) {
    const { authorization, ...headers } = headersOf(ask);
    const socket = new WebSocket(`${url.replace("http:", "ws:")}/graphql`, GRAPHQL_TRANSPORT_WS_PROTOCOL, { headers });
    socket.on("open", () => socket.send(JSON.stringify({ type: "connection_init", payload: { authorization } })));
    const outcome = new Promise<string>((resolve, reject) => {
      socket.on("unexpected-response", async (_request, response: IncomingMessage) => {
        let text = "";
        for await (const chunk of response) text += String(chunk);
        resolve(codeIn({ text }));
      });
      socket.on("close", (code) => resolve(CODE_BY_CLOSE.get(code) ?? `closed with ${code}`));
      socket.on("error", reject);
      socket.on("message", (data) => {
        const message = JSON.parse(String(data)) as { type: string };
        if (message.type === "connection_ack") {
          const payload = payloadOf({ query: GOOD_QUERY, ...ask });
          socket.send(JSON.stringify({ id: "1", type: "subscribe", payload }));
        } else resolve(codeIn({ text: String(data) }));
      });
    });
    try {
      return await outcome;
    } finally {
      socket.removeAllListeners().on("error", () => {});
      socket.terminate();
    }
  },
};

function overEvents(name: string, accept: string): Transport {
  return {
    name,
    takesDocuments: false,
    async refusal(url, ask) {
      const response = await exchangeHead(`${url}/events?wait=0`, { ...headersOf(ask), accept });
      return codeIn(response);
    },
  };
}

/** What a stream says at once: it stays open, so only a refusal is read to its end. */
async function exchangeHead(url: string, headers: Record<string, string>): Promise<Answered> {
  const request = httpRequest(url, { headers, agent: false });
  request.end();
  const [response] = (await once(request, "response")) as [IncomingMessage];
  let text = "";
  if (response.statusCode !== 200) for await (const chunk of response.setEncoding("utf8")) text += chunk;
  request.on("error", () => {}).destroy();
  return { status: response.statusCode ?? 0, headers: response.headers, text };
}

const overEventStream: Transport = overEvents("EventSource", "text/event-stream");
const overLongPolling: Transport = overEvents("long polling", "application/json");

export const TRANSPORTS: readonly Transport[] = [
  overHttp,
  overSse,
  overSharedSse,
  overWebSocket,
  overEventStream,
  overLongPolling,
];
