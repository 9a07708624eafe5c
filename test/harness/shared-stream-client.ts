import { openEventStream } from "./event-stream-client.ts";

/** What came of an operation: a result, or that it is over. */
export interface OperationNews {
  readonly id: string;
  readonly type: "next" | "complete";
  // biome-ignore lint/suspicious/noExplicitAny: tests look into payloads of every shape
  readonly payload?: any;
}

/** Many operations on one event stream, by the bare protocol of graphql-sse's single connection mode. */
export interface SharedStreamClient extends Disposable {
  /** Resolves when the operation has been accepted; rejects when it is refused. */
  subscribe(id: string, query: string, payload?: Record<string, unknown>): Promise<void>;
  /** What comes next of any operation. */
  next(): Promise<OperationNews>;
}

/** Reserves a stream of the service at `url`; resolves when it is open. */
export async function openSharedStream(url: string, headers: Record<string, string>): Promise<SharedStreamClient> {
  const endpoint = `${url}/graphql/stream`;
  const reserved = await fetch(endpoint, { method: "PUT", headers });
  const own = { ...headers, "x-graphql-event-stream-token": await reserved.text() };
  const stream = await openEventStream(endpoint, own);
  return {
    async subscribe(id, query, { extensions, ...payload } = {}) {
      const response = await fetch(endpoint, {
        method: "POST",
        headers: { ...own, "content-type": "application/json" },
        body: JSON.stringify({ query, ...payload, extensions: { ...(extensions as object), operationId: id } }),
      });
      if (response.status !== 202) throw new Error(`${response.status} ${await response.text()}`);
    },
    async next() {
      const { event, data } = await stream.nextEvent();
      return { ...data, type: event } as OperationNews;
    },
    [Symbol.dispose]: () => stream[Symbol.dispose](),
  };
}
