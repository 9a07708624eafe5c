import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Logger } from "pino";
import { ServiceError } from "../error.ts";
import { requireLocalHost } from "./host-guard.ts";
import { METRICS_PATH, type MetricsEndpoint } from "./metrics-endpoint.ts";
import { presentable, refuse } from "./refusal.ts";
import { SECURITY_HEADERS } from "./security-headers.ts";

/** A port for Prometheus alone, which asks for no token: for a network that readers cannot reach. */
export interface MetricsServer {
  /** Resolves to the URL of the metrics; rejects where it cannot listen. */
  listen(port: number, host: string): Promise<string>;
  close(): Promise<void>;
}

export interface MetricsServerOptions {
  readonly endpoint: MetricsEndpoint;
  /** No access rule is set: only who asks for this very machine by name is answered. */
  readonly isLocalOnly: boolean;
  readonly logger: Logger;
}

export function createMetricsServer({ endpoint, isLocalOnly, logger }: MetricsServerOptions): MetricsServer {
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    response.setHeaders(SECURITY_HEADERS);
    if (isLocalOnly) requireLocalHost(request);
    if (request.url?.split("?")[0] !== METRICS_PATH) {
      throw new ServiceError("NOT_FOUND", `Nothing is here but ${METRICS_PATH}.`);
    }
    await endpoint.handle(request, response);
  };
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => refuse(request, response, presentable(error, logger)));
  });
  return {
    listen: (port, host) =>
      new Promise((resolve, reject) => {
        server.once("error", reject);
        server.listen(port, host, () => {
          server.removeListener("error", reject);
          const { address, family, port: bound } = server.address() as AddressInfo;
          resolve(`http://${family === "IPv6" ? `[${address}]` : address}:${bound}${METRICS_PATH}`);
        });
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
