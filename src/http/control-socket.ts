import { once } from "node:events";
import { chmod, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { json } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import type { Logger } from "pino";
import { ServiceError } from "../error.ts";
import type { ExportSpan } from "../graphql/event-export.ts";

/** The socket in the data folder: whoever may write there may speak to the service. */
export const CONTROL_SOCKET = "control.sock";

/** Bytes of a socket's path that every system takes (sun_path: 104 on macOS, 108 on Linux, a final NUL included). */
const LONGEST_PATH = 103;

export interface ControlSocketOptions {
  readonly path: string;
  /** Copies the log to a file. */
  readonly backUp: (file: string) => Promise<void>;
  readonly exportEvents: (span: ExportSpan) => AsyncIterable<{ readonly lines: string }>;
  /** Erases the events of an address; resolves to how many there were. */
  readonly erase: (email: string) => Promise<number>;
  readonly logger: Logger;
}

/**
 * What commands of this machine ask of the running service, since it alone has the embedded log's file:
 * `POST /backup` with `{file}`, `POST /erase` with `{email}`, and `GET /export?since=&until=&after=`. Speaks HTTP on a socket of the file system.
 */
export interface ControlSocket {
  close(): Promise<void>;
}

/** Resolves to null, with a warning, where there can be no such socket: the service runs without. */
export async function openControlSocket(options: ControlSocketOptions): Promise<ControlSocket | null> {
  const { path, logger } = options;
  const server = createServer((request, response) => {
    answer(request, response, options).catch((error: unknown) => {
      logger.warn({ err: error }, "a command could not be answered");
      response.destroy();
    });
  });
  try {
    if (Buffer.byteLength(path) > LONGEST_PATH) throw new Error(`its path has more than ${LONGEST_PATH} bytes`);
    // Left behind by a process that was killed: whoever has the log's file has the folder to itself.
    await rm(path, { force: true });
    await once(server.listen(path), "listening");
    await chmod(path, 0o600);
  } catch (error) {
    server.close();
    logger.warn(
      { err: error },
      "there is no control socket: stop the service to back up or export its log, or to erase events",
    );
    return null;
  }
  return {
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { backUp, exportEvents, erase }: ControlSocketOptions,
): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://control");
  try {
    if (request.method === "POST" && pathname === "/backup") {
      const { file } = (await json(request)) as { file: string };
      await backUp(file);
      response.writeHead(200, { "content-type": "application/json" }).end("{}");
      return;
    }
    if (request.method === "POST" && pathname === "/erase") {
      const { email } = (await json(request)) as { email: string };
      const erased = await erase(email);
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ erased }));
      return;
    }
    if (request.method === "GET" && pathname === "/export") {
      await stream(exportEvents(spanOf(searchParams)), response);
      return;
    }
    response.writeHead(404, { "content-type": "application/json" }).end('{"message":"There is nothing here."}');
  } catch (error) {
    // Once the head is out, a connection that is cut is all that can be told.
    if (response.headersSent) throw error;
    const { status, message } = error instanceof ServiceError ? error : { status: 500, message: String(error) };
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify({ message }));
  }
}

/** The head goes out with the first lines, so that an export that cannot begin is told so. */
async function stream(pages: AsyncIterable<{ readonly lines: string }>, response: ServerResponse): Promise<void> {
  const iterator = pages[Symbol.asyncIterator]();
  const first = await iterator.next();
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  await pipeline(async function* () {
    for (let page = first; !page.done; page = await iterator.next()) yield page.value.lines;
  }, response);
}

function spanOf(parameters: URLSearchParams): ExportSpan {
  const time = (name: string) => (parameters.has(name) ? Number(parameters.get(name)) : undefined);
  return { since: time("since"), until: time("until"), after: parameters.get("after") ?? undefined };
}
