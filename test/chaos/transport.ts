import { connectSocket, type ServerMessage } from "../harness/socket-client.ts";
import type { Follower } from "./follower.ts";

/**
 * Serves a follower behind its place until its operation or connection ends, or `signal` cuts it. Rejects where it
 * cannot connect or is cut.
 */
export interface Transport {
  readonly name: string;
  serve(follower: Follower, url: string, signal: AbortSignal): Promise<void>;
}

const ARGUMENTS = "types: $types, email: $email, messageId: $messageId, tag: $tag, subaccount: $subaccount";
export const DOCUMENT = `subscription Chaos($types: [EventType!], $email: String, $messageId: ID, $tag: String, $subaccount: String) {
  eventReceived(${ARGUMENTS}) { messageId cursor }
}`;

const HEAD = "{ recentEvents(first: 1) { head } }";

/** The log's head as a cursor, by a query. */
export async function headOf(url: string, signal: AbortSignal): Promise<string> {
  const response = await fetch(`${url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query: HEAD }),
    signal,
  });
  const { data } = (await response.json()) as { data?: { recentEvents?: { head?: string } } };
  const head = data?.recentEvents?.head;
  if (head === undefined) throw new Error("no head can be had now");
  return head;
}

/** GraphQL over WebSocket, by the bare protocol. */
const webSocket: Transport = {
  name: "WebSocket",
  async serve(follower, url, signal) {
    const connected = connectSocket(`${url.replace("http:", "ws:")}/graphql`);
    const cut = Promise.withResolvers<never>();
    cut.promise.catch(() => {});
    signal.addEventListener("abort", () => {
      cut.reject(signal.reason);
      connected.then(({ socket }) => socket.terminate()).catch(() => {});
    });
    const client = await Promise.race([connected, cut.promise]);
    try {
      // Its other operations go on where one ends, so it stays.
      for (let operation = 1; follower.place !== null; operation++) {
        const payload = { variables: follower.audience.args, extensions: { after: follower.place } };
        client.subscribe(`${operation}`, DOCUMENT, payload);
        while (takes(follower, await client.next(`${operation}`)));
      }
    } finally {
      client.socket.terminate();
    }
  },
};

function takes(follower: Follower, { type, payload }: ServerMessage): boolean {
  if (type === "complete") {
    follower.complain("its operation was completed without a word");
    return false;
  }
  return follower.result(type === "error" ? { errors: payload } : payload);
}

/** GraphQL over Server-Sent Events, in distinct connections. */
const eventStream: Transport = {
  name: "GraphQL over SSE",
  async serve(follower, url, signal) {
    const response = await fetch(`${url}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "text/event-stream" },
      body: JSON.stringify({
        query: DOCUMENT,
        variables: follower.audience.args,
        extensions: { after: follower.place },
      }),
      signal,
    });
    if (response.status !== 200) throw new Error(`refused with ${response.status}`);
    let isOver = false;
    for await (const { event, data } of blocksOf(response)) {
      if (event === "complete" && !isOver) follower.complain("its stream was completed without a word");
      if (event === "next") isOver = !follower.result(JSON.parse(data));
    }
  },
};

/** `GET /events` as a stream, by what an EventSource does. */
const plainStream: Transport = {
  name: "SSE",
  async serve(follower, url, signal) {
    const { place } = follower;
    const response = await fetch(`${url}/events?${queryOf(follower)}`, {
      headers: { accept: "text/event-stream", ...(place !== null && { "last-event-id": place }) },
      signal,
    });
    if (response.status !== 200) {
      follower.refused(await response.json());
      return;
    }
    for await (const { event, id, data } of blocksOf(response)) {
      if (event === "end") {
        follower.refused(JSON.parse(data));
      } else if (event === "gap") {
        const { code, oldest, head } = JSON.parse(data);
        if (code === "SUBSCRIBER_LAGGED") follower.lagged(id);
        else follower.gap(code, follower.place, oldest, head);
        if (follower.place === null) follower.begin(id);
      } else if (data !== "") {
        follower.event(JSON.parse(data).messageId, id ?? "none");
      } else if (id !== null) {
        follower.place = id;
      }
    }
  },
};

/** `GET /events` as long polling. */
const longPoll: Transport = {
  name: "long polling",
  async serve(follower, url, signal) {
    while (follower.place !== null) {
      const query = queryOf(follower);
      query.set("after", follower.place);
      query.set("wait", "1");
      const response = await fetch(`${url}/events?${query}`, { headers: { accept: "application/json" }, signal });
      const body = await response.json();
      if (response.status !== 200) {
        follower.refused(body);
        return;
      }
      for (const { messageId, cursor } of body.events) follower.event(messageId, cursor);
      follower.place = body.head;
    }
  },
};

function queryOf({ audience }: Follower): URLSearchParams {
  const given = Object.entries(audience.args).filter(([, value]) => value != null);
  return new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
}

interface Block {
  readonly event: string;
  readonly id: string | null;
  readonly data: string;
}

/** The blocks of an event stream; comments are left out. */
async function* blocksOf(response: Response): AsyncGenerator<Block> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of response.body ?? []) {
    const blocks = (text + decoder.decode(chunk, { stream: true })).split("\n\n");
    text = blocks.pop() ?? "";
    for (const block of blocks) {
      const fields = block.split("\n").map((line) => {
        const colon = line.indexOf(":");
        return [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, "")] as const;
      });
      const all = (name: string) => fields.filter(([field]) => field === name).map(([, value]) => value);
      yield { event: all("event").at(-1) ?? "message", id: all("id").at(-1) ?? null, data: all("data").join("\n") };
    }
  }
}

export const TRANSPORTS: readonly Transport[] = [webSocket, eventStream, plainStream, longPoll];
