import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** Takes traces as a collector does (OTLP over HTTP, as JSON), and only counts their spans. */
export interface Collector {
  readonly url: string;
  readonly spans: number;
  stop(): Promise<void>;
}

const SPAN = /"spanId":/g;

export async function startCollector(): Promise<Collector> {
  let spans = 0;
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request.setEncoding("utf8")) text += chunk;
    spans += text.match(SPAN)?.length ?? 0;
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get spans() {
      return spans;
    },
    async stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}
