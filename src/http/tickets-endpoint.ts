import type { IncomingMessage, ServerResponse } from "node:http";
import type { Access } from "../access/access.ts";
import { ServiceError } from "../error.ts";

/** Where a token is exchanged for what an EventSource can send. */
export const TICKETS_PATH = "/tickets";

/** `POST /tickets` → `{ticket, expiresAt}`: to be sent as `?ticket=` by who can send no header. */
export interface TicketsEndpoint {
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
}

export function createTicketsEndpoint(access: Pick<Access, "viewerOf" | "issue">): TicketsEndpoint {
  return {
    async handle(request, response) {
      if (request.method !== "POST") {
        response.setHeader("allow", "POST");
        throw new ServiceError("METHOD_NOT_ALLOWED", `${TICKETS_PATH} takes POST.`);
      }
      const { text, expiresAt } = await access.issue("ticket", await access.viewerOf(request));
      request.resume();
      response.writeHead(200, { "content-type": "application/json; charset=utf-8", "cache-control": "no-store" });
      response.end(`${JSON.stringify({ ticket: text, expiresAt: new Date(expiresAt).toISOString() })}\n`);
    },
  };
}
