import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { EXAMPLES } from "../graphql/examples.ts";

/** Where GraphiQL's own files are served; their names change with their content. */
export const GRAPHIQL_PATH = "/graphiql/";

interface Asset {
  readonly type: string;
  readonly content: Buffer;
  readonly zipped: Buffer;
}

interface GraphiqlFiles {
  readonly page: string;
  readonly assets: ReadonlyMap<string, Asset>;
}

/**
 * GraphiQL as the package brings it along (9 MB), cut into files of ours: nothing comes from elsewhere, a browser
 * keeps them, and the page needs no inline script. Read and zipped when the first person asks for it.
 */
export interface Graphiql {
  /** The page: small, and never kept. */
  page(): Promise<string>;
  /** Serves a file below {@link GRAPHIQL_PATH}. */
  serve(request: IncomingMessage, response: ServerResponse, name: string): Promise<void>;
}

export function createGraphiql(): Graphiql {
  let loading: Promise<GraphiqlFiles> | undefined;
  const files = (): Promise<GraphiqlFiles> => {
    loading ??= loadFiles();
    return loading;
  };
  return {
    page: async () => (await files()).page,
    async serve(request, response, name) {
      const asset = (await files()).assets.get(name);
      if (asset === undefined) {
        response.writeHead(404, { "content-type": "text/plain" }).end("No such file.\n");
        return;
      }
      const zipped = /\bgzip\b/.test(request.headers["accept-encoding"] ?? "");
      const content = zipped ? asset.zipped : asset.content;
      response.writeHead(200, {
        "content-type": asset.type,
        "cache-control": "public, max-age=31536000, immutable",
        vary: "accept-encoding",
        "x-content-type-options": "nosniff",
        "content-length": content.length,
        ...(zipped ? { "content-encoding": "gzip" } : {}),
      });
      response.end(request.method === "HEAD" ? undefined : content);
    },
  };
}

async function loadFiles(): Promise<GraphiqlFiles> {
  const { js, css, editorWorkerService, jsonWorker, graphqlWorker } = await import(
    "@graphql-yoga/render-graphiql/graphiql"
  );
  const assets = new Map<string, Asset>();
  const add = async (name: string, type: string, text: string): Promise<string> => {
    const content = Buffer.from(text);
    const hash = createHash("sha256").update(content).digest("base64url").slice(0, 12);
    const file = name.replace(".", `.${hash}.`);
    assets.set(file, { type, content, zipped: await promisify(gzip)(content) });
    // Relative to the page, wherever a proxy serves it.
    return GRAPHIQL_PATH.slice(1) + file;
  };
  const script = "text/javascript; charset=utf-8";
  const workers = {
    editorWorkerService: await add("editor-worker.js", script, editorWorkerService),
    json: await add("json-worker.js", script, jsonWorker),
    graphql: await add("graphql-worker.js", script, graphqlWorker),
  };
  const options = {
    title: "mandrill-live: GraphiQL",
    subscriptionsProtocol: "WS",
    defaultTabs: EXAMPLES.map(({ query, variables }) => ({ query, variables })),
  };
  const start = `
self.MonacoEnvironment = { globalAPI: false, getWorkerUrl: (_module, label) => (${JSON.stringify(workers)})[label] };
addEventListener("DOMContentLoaded", () => {
  YogaGraphiQL.renderYogaGraphiQL(document.querySelector("#root"), ${JSON.stringify(options)});
});`;
  const style = await add("graphiql.css", "text/css; charset=utf-8", css);
  const starter = await add("start.js", script, start);
  const main = await add("graphiql.js", script, js);
  const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>${options.title}</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="${style}">
    <script src="${starter}"></script>
    <script src="${main}" defer></script>
  </head>
  <body id="body" class="no-focus-outline">
    <noscript>GraphiQL needs JavaScript.</noscript>
    <div id="root"></div>
  </body>
</html>
`;
  return { page, assets };
}
