import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Logger } from "pino";
import { ServiceError } from "../error.ts";
import { METRICS_PATH, type MetricsEndpoint } from "./metrics-endpoint.ts";
import { presentable, refuse } from "./refusal.ts";

/** A port for Prometheus alone, which asks for no token: for a network that readers cannot reach. */
export interface MetricsServer {
  /** Resolves to the URL of the metrics; rejects where it cannot listen. */
  listen(port: number, host: string): Promise<string>;
  close(): Promise<void>;
}

export function createMetricsServer(endpoint: MetricsEndpoint, logger: Logger): MetricsServer {
  const server = createServer((request, response) => {
    const isMetrics = request.url?.split("?")[0] === METRICS_PATH;
    const handled = isMetrics
      ? endpoint.handle(request, response)
      : Promise.reject(new ServiceError("NOT_FOUND", `Nothing is here but ${METRICS_PATH}.`));
    handled.catch((error: unknown) => refuse(request, response, presentable(error, logger)));
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
