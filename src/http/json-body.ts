import type { IncomingMessage } from "node:http";
import { ServiceError } from "../error.ts";

/** The body, read and parsed. Throws BODY_TOO_LARGE as soon as it is, and BAD_USER_INPUT where it is no JSON. */
export async function readJsonBody(request: IncomingMessage, maxBytes: number): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Destroyed with its iterator, the request would take the answer with it.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new ServiceError("BODY_TOO_LARGE", `The body has more than ${maxBytes} bytes.`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch (error) {
    throw noJson(error);
  }
}

function noJson(cause: unknown): ServiceError {
  return new ServiceError("BAD_USER_INPUT", "The body is no JSON.", {}, cause);
}
