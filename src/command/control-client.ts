import { type IncomingMessage, request } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { CONTROL_SOCKET } from "../http/control-socket.ts";

/** What means that no service has this folder: there is no socket, or it was left behind. */
const NOBODY = new Set(["ENOENT", "ECONNREFUSED", "ENOTSOCK"]);

/** What a connection that ends amid an answer comes to. */
export function brokenOff(cause: unknown): Error {
  return new Error("The service broke off; its log says why.", { cause });
}

/**
 * Asks the service that has `dataDir` to do something; null where none runs. Resolves to its answer, whose body is
 * still to be read, and rejects with the reason where it says no.
 */
export async function askService(
  dataDir: string,
  method: "GET" | "POST",
  path: string,
  body?: object | undefined,
): Promise<IncomingMessage | null> {
  const response = await new Promise<IncomingMessage | null>((resolve, reject) => {
    const asked = request({ socketPath: join(dataDir, CONTROL_SOCKET), method, path }, resolve);
    asked.once("error", (error: NodeJS.ErrnoException) => {
      if (NOBODY.has(error.code ?? "")) resolve(null);
      else reject(brokenOff(error));
    });
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
  if (response === null || response.statusCode === 200) return response;
  const { message } = JSON.parse(await text(response)) as { message: string };
  throw new Error(message);
}
