import type { IncomingMessage, ServerResponse } from "node:http";
import type { Logger } from "pino";
import { ServiceError } from "../error.ts";
import type { PageBuild } from "./page-build.ts";
import { type PageFile, type PageFiles, readPageFiles } from "./page-files.ts";

/** Where the live page's own files are served; their names change with their content. */
export const PAGE_ASSETS_PATH = "/assets/";

/**
 * Stricter than what other answers say: nothing from elsewhere, and nothing inline. Styles that a script sets on an
 * element are not concerned.
 */
const POLICY = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
} as const;

/** How soon a browser that waits for the build asks again. Seconds. */
const RELOAD = 1;

export interface PageOptions {
  readonly find: () => Promise<PageBuild>;
  /** Builds it from what is there now; rejects with a reason for people where that cannot be done. */
  readonly build: (signal: AbortSignal) => Promise<void>;
  readonly logger: Logger;
}

/** The live page: from its newest build, which is made where it is missing or no longer current. */
export interface Page {
  /** Sees to it that there is a current build. Never rejects: what goes wrong is logged, and told at `/`. */
  prepare(): Promise<void>;
  /** Serves the page itself. */
  index(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Serves a file below {@link PAGE_ASSETS_PATH}. */
  asset(request: IncomingMessage, response: ServerResponse, name: string): Promise<void>;
  /** Gives a build up that is under way. */
  close(): void;
}

type State =
  | { readonly kind: "building" }
  | { readonly kind: "ready"; readonly files: PageFiles }
  | { readonly kind: "failed"; readonly reason: string };

export function createPage({ find, build, logger }: PageOptions): Page {
  const aborting = new AbortController();
  let state: State = { kind: "building" };
  let preparing: Promise<void> | undefined;
  /** Resolves when there is a page, or its build has begun: that one is not waited for. */
  const decided = Promise.withResolvers<void>();

  const load = async ({ folder }: PageBuild): Promise<void> => {
    if (folder === undefined) throw new Error("there is no build of the live page");
    state = { kind: "ready", files: await readPageFiles(folder) };
  };

  const prepare = async (): Promise<void> => {
    try {
      const found = await find();
      if (found.isCurrent) return await load(found);
      state = { kind: "building" };
      decided.resolve();
      try {
        await build(aborting.signal);
      } catch (error) {
        if (found.folder === undefined || aborting.signal.aborted) throw error;
        logger.warn({ err: error }, "the live page could not be built; an older one is served");
        return await load(found);
      }
      await load(await find());
    } catch (error) {
      if (aborting.signal.aborted) return;
      logger.warn({ err: error }, "the live page could not be built, and / says so; all else works");
      state = { kind: "failed", reason: error instanceof Error ? error.message : String(error) };
    } finally {
      decided.resolve();
    }
  };
  const prepared = (): Promise<void> => {
    preparing ??= prepare();
    return preparing;
  };

  return {
    prepare: prepared,
    async index(request, response) {
      requireReading(request, response);
      void prepared();
      await decided.promise;
      if (state.kind === "ready") serve(request, response, state.files.index, "no-cache");
      else interim(request, response, state);
    },
    async asset(request, response, name) {
      requireReading(request, response);
      await prepared();
      const file = state.kind === "ready" ? state.files.assets.get(name) : undefined;
      if (file === undefined) throw new ServiceError("NOT_FOUND", "The live page has no such file.");
      serve(request, response, file, "public, max-age=31536000, immutable");
    },
    close: () => aborting.abort(),
  };
}

function requireReading({ method }: IncomingMessage, response: ServerResponse): void {
  if (method === "GET" || method === "HEAD") return;
  response.setHeader("allow", "GET, HEAD");
  throw new ServiceError("METHOD_NOT_ALLOWED", "The live page is read with GET; Mandrill posts to /mandrill.");
}

function serve(request: IncomingMessage, response: ServerResponse, file: PageFile, cacheControl: string): void {
  const encoding = encodingFor(request.headers["accept-encoding"]);
  const etag = `"${file.etag}-${encoding}"`;
  const headers = { ...POLICY, "cache-control": cacheControl, etag, vary: "accept-encoding" };
  if (request.headers["if-none-match"]?.split(/\s*,\s*/).some((known) => known.replace(/^W\//, "") === etag)) {
    response.writeHead(304, headers).end();
    return;
  }
  const content = file.encodings[encoding];
  response.writeHead(200, {
    ...headers,
    "content-type": file.type,
    "content-length": content.length,
    ...(encoding === "identity" ? {} : { "content-encoding": encoding }),
  });
  response.end(request.method === "HEAD" ? undefined : content);
}

function encodingFor(accepted = ""): keyof PageFile["encodings"] {
  if (/\bbr\b/.test(accepted)) return "br";
  return /\bgzip\b/.test(accepted) ? "gzip" : "identity";
}

/** Says what is the matter while there is no page; it reloads itself where that will help. */
function interim(request: IncomingMessage, response: ServerResponse, state: Exclude<State, { kind: "ready" }>): void {
  const text =
    state.kind === "building"
      ? "<h1>The live page is being built</h1>\n<p>This takes some seconds, once. The page appears by itself.</p>"
      : `<h1>The live page could not be built</h1>\n<pre>${escaped(state.reason)}</pre>\n` +
        '<p>All else works: the webhook, and GraphQL at <a href="graphql">GraphiQL</a>.</p>';
  const reload = state.kind === "building" ? `\n    <meta http-equiv="refresh" content="${RELOAD}">` : "";
  const content = Buffer.from(`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">${reload}
    <title>mandrill-live</title>
  </head>
  <body>
    <main>
${text}
    </main>
  </body>
</html>
`);
  response.writeHead(503, {
    ...POLICY,
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "content-length": content.length,
    ...(state.kind === "building" ? { "retry-after": String(RELOAD) } : {}),
  });
  response.end(request.method === "HEAD" ? undefined : content);
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
