import type { IncomingMessage, OutgoingHttpHeaders } from "node:http";
import { ServiceError } from "../error.ts";

/** How long a browser keeps the answer to a preflight: Chromium's own bound, 2 hours. Seconds. */
const PREFLIGHT_HOLDS = "7200";

/** Which sites' pages may ask. Who sends no Origin is no page of another site. */
export interface OriginPolicy {
  /** Throws FORBIDDEN where the request comes from a page that may not ask. */
  admit(request: IncomingMessage): void;
  /** What lets a page of another, allowed origin read the answer. */
  headers(request: IncomingMessage): OutgoingHttpHeaders;
}

/**
 * @param allowed origins beside the service's own, as browsers write them
 */
export function createOriginPolicy(allowed: readonly string[]): OriginPolicy {
  const origins = new Set(allowed);
  return {
    admit(request) {
      const { origin } = request.headers;
      if (origin === undefined || isSameOrigin(request) || origins.has(origin)) return;
      throw new ServiceError(
        "FORBIDDEN",
        "Pages of this origin may not ask here; ALLOWED_ORIGINS lists those that may.",
      );
    },
    headers({ method, headers }) {
      // The answer depends on it even where there is none: a cache must not serve one origin's to another.
      const vary = { vary: "Origin" };
      if (headers.origin === undefined || !origins.has(headers.origin)) return vary;
      const allow = { ...vary, "access-control-allow-origin": headers.origin };
      if (!isPreflight({ method, headers })) {
        return { ...allow, "access-control-expose-headers": "retry-after" };
      }
      const asked = headers["access-control-request-headers"];
      return {
        ...allow,
        "access-control-allow-methods": "GET, POST, PUT, DELETE",
        ...(asked === undefined ? {} : { "access-control-allow-headers": asked }),
        "access-control-max-age": PREFLIGHT_HOLDS,
      };
    },
  };
}

/** A browser's question whether a page may send the request that it is about to. */
export function isPreflight({ method, headers }: Pick<IncomingMessage, "method" | "headers">): boolean {
  return method === "OPTIONS" && headers.origin !== undefined && "access-control-request-method" in headers;
}

/**
 * Whether the page that asks was served from the host that it asks. The scheme is left out: behind a proxy that ends
 * TLS this service cannot tell its own.
 */
export function isSameOrigin({ headers: { origin, host } }: IncomingMessage): boolean {
  if (origin === undefined || host === undefined || !URL.canParse(origin)) return false;
  const { protocol, host: from } = new URL(origin);
  const asked = `${protocol}//${host}`;
  return URL.canParse(asked) && from !== "" && new URL(asked).host === from;
}
