import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";

/** A block of an event stream, field by field. */
export interface Block {
  readonly event?: string | undefined;
  readonly id?: string | undefined;
  readonly retry?: string | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into events of every shape
  readonly data?: any;
}

/** A reader of Server-Sent Events that sees every block, those without data included, and misses none. */
export interface EventStreamClient extends Disposable {
  readonly response: IncomingMessage;
  /** The next block. Rejects when the stream ends first. */
  next(): Promise<Block>;
  /** The next block with data, as an EventSource would tell it. */
  nextEvent(): Promise<Block>;
  /** Resolves when the stream is over: whether the server completed it. */
  readonly ended: Promise<boolean>;
  /** Reads nothing more until `resume`. */
  pause(): void;
  resume(): void;
}

/** Resolves when the response's head has come. */
export async function openEventStream(
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<EventStreamClient> {
  const asked = request(url, { headers: { accept: "text/event-stream", ...headers }, agent: false });
  asked.end();
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  if (response.statusCode !== 200) throw new Error(`${response.statusCode} ${await textOf(response)}`);
  const blocks: Block[] = [];
  const waiting: { readonly resolve: (block: Block) => void; readonly reject: (error: Error) => void }[] = [];
  let over = false;
  let text = "";
  response.setEncoding("utf8");
  response.on("data", (chunk: string) => {
    text += chunk;
    const whole = text.split("\n\n");
    text = whole.pop() as string;
    for (const each of whole) {
      const block = parseBlock(each);
      const reader = waiting.shift();
      if (reader === undefined) blocks.push(block);
      else reader.resolve(block);
    }
  });
  response.on("error", () => {});
  const ended = new Promise<boolean>((resolve) => {
    response.once("close", () => {
      over = true;
      for (const { reject } of waiting.splice(0)) reject(new Error("the stream has ended"));
      resolve(response.complete);
    });
  });
  const next = (): Promise<Block> => {
    const block = blocks.shift();
    if (block !== undefined) return Promise.resolve(block);
    if (over) return Promise.reject(new Error("the stream has ended"));
    return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
  };
  return {
    response,
    next,
    async nextEvent() {
      for (;;) {
        const block = await next();
        if (block.data !== undefined) return block;
      }
    },
    ended,
    pause: () => response.pause(),
    resume: () => response.resume(),
    [Symbol.dispose]: () => void asked.destroy(),
  };
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of response) text += chunk;
  return text;
}

function parseBlock(text: string): Block {
  const fields = text.split("\n").map((line) => {
    const [, name, value] = /^(\w+): (.*)$/.exec(line) ?? [undefined, "unknown", line];
    return [name, name === "data" ? JSON.parse(value as string) : value] as const;
  });
  return Object.fromEntries(fields);
}
