import type { IncomingMessage } from "node:http";
import { ServiceError } from "../error.ts";

/** Any port: a tunnel or a container may have changed it. */
const LOCAL_HOST = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/i;

/**
 * Refuses whoever did not ask for this very machine, while no access rule keeps anybody out. A page of another site
 * whose name is made to point here (DNS rebinding) brings its own name along, and so does a public tunnel.
 */
export function requireLocalHost({ headers }: IncomingMessage): void {
  if (LOCAL_HOST.test(headers.host ?? "")) return;
  throw new ServiceError(
    "FORBIDDEN",
    "No access rules are set, so only http://localhost, http://127.0.0.1 and http://[::1] are answered. " +
      "Set ACCESS_TOKENS (or JWT_JWKS_URL, JWT_SECRET or JWT_PUBLIC_KEY) to serve other names.",
  );
}
