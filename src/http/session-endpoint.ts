import type { IncomingMessage, ServerResponse } from "node:http";
import { TLSSocket } from "node:tls";
import { stringifySetCookie } from "cookie";
import type { Access } from "../access/access.ts";
import { SESSION_COOKIE } from "../access/credential.ts";
import type { Viewer } from "../access/viewer.ts";
import { ServiceError } from "../error.ts";
import { readJsonBody } from "./json-body.ts";

/** Where a page of ours logs in and out. */
export const SESSION_PATH = "/session";

const ALLOW = "GET, POST, DELETE";

/** A body holds a token and nothing else. Bytes. */
const MAX_BODY_BYTES = 16 * 1024;

/**
 * The log-in of a page: `POST` puts what stands for a token into a cookie that no script can read, `DELETE` takes it
 * away, `GET` tells whether there is one. POST takes the token as `Authorization: Bearer` or as JSON, `{"token": …}`.
 */
export interface SessionEndpoint {
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
}

/** @param basePath the folder that all is served under; empty for none */
export function createSessionEndpoint(
  access: Pick<Access, "viewerOf" | "viewerOfToken" | "issue">,
  basePath: string,
): SessionEndpoint {
  // A cookie is not sent to what is not ours.
  const path = basePath === "" ? "/" : basePath;
  const setCookie = (request: IncomingMessage, response: ServerResponse, value: string, maxAge: number): void => {
    response.setHeader(
      "set-cookie",
      stringifySetCookie({
        name: SESSION_COOKIE,
        value,
        maxAge,
        path,
        httpOnly: true,
        sameSite: "strict",
        secure: cameByTls(request),
      }),
    );
  };

  async function logIn(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const viewer =
      request.headers.authorization === undefined
        ? await access.viewerOfToken(await tokenIn(request))
        : await access.viewerOf(request);
    const { text, expiresAt } = await access.issue("session", viewer);
    setCookie(request, response, text, Math.max(0, Math.floor((expiresAt - Date.now()) / 1_000)));
    tell(response, { ...viewer, expiresAt });
  }

  return {
    async handle(request, response) {
      switch (request.method) {
        case "POST":
          return logIn(request, response);
        case "GET":
          return tell(response, await access.viewerOf(request));
        case "DELETE":
          setCookie(request, response, "", 0);
          response.writeHead(204, { "cache-control": "no-store" }).end();
          return;
        default:
          response.setHeader("allow", ALLOW);
          throw new ServiceError("METHOD_NOT_ALLOWED", `${SESSION_PATH} takes ${ALLOW}.`);
      }
    },
  };
}

function tell(response: ServerResponse, { expiresAt, scope }: Pick<Viewer, "expiresAt" | "scope">): void {
  const end = Number.isFinite(expiresAt) ? new Date(expiresAt).toISOString() : null;
  response.writeHead(200, { "content-type": "application/json; charset=utf-8", "cache-control": "no-store" });
  response.end(`${JSON.stringify({ expiresAt: end, scope })}\n`);
}

/** Whoever lies about it in the header only keeps his own cookie from being sent. */
function cameByTls({ headers, socket }: IncomingMessage): boolean {
  const [first = ""] = String(headers["x-forwarded-proto"] ?? "").split(",");
  return socket instanceof TLSSocket || first.trim().toLowerCase() === "https";
}

async function tokenIn(request: IncomingMessage): Promise<string> {
  const body = await readJsonBody(request, MAX_BODY_BYTES);
  const token = (body as { readonly token?: unknown } | null)?.token;
  if (typeof token !== "string") throw new ServiceError("BAD_USER_INPUT", 'The body is to be JSON: {"token": "…"}.');
  return token;
}
