import type { IncomingMessage, ServerResponse } from "node:http";
import { Registry } from "prom-client";
import { seesEveryEvent } from "../access/scope.ts";
import type { Viewer } from "../access/viewer.ts";
import { ServiceError } from "../error.ts";

/** Where Prometheus reads. */
export const METRICS_PATH = "/metrics";

export interface MetricsEndpointOptions {
  /** All metrics in Prometheus' text format. */
  readonly read: () => Promise<string>;
  /** Who asks; undefined where whoever reaches the port may read (`METRICS_PORT`). */
  readonly viewerOf?: ((request: IncomingMessage) => Promise<Viewer>) | undefined;
}

/** `GET /metrics`: for who may see every event, since the counts are of all of them. */
export interface MetricsEndpoint {
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
}

export function createMetricsEndpoint({ read, viewerOf }: MetricsEndpointOptions): MetricsEndpoint {
  return {
    async handle(request, response) {
      if (request.method !== "GET" && request.method !== "HEAD") {
        response.setHeader("allow", "GET, HEAD");
        throw new ServiceError("METHOD_NOT_ALLOWED", `${METRICS_PATH} takes GET.`);
      }
      const viewer = await viewerOf?.(request);
      if (viewer !== undefined && !seesEveryEvent(viewer.scope)) {
        throw new ServiceError("FORBIDDEN", `${METRICS_PATH} is only for who may see every event.`);
      }
      const text = await read();
      response.writeHead(200, { "content-type": Registry.PROMETHEUS_CONTENT_TYPE, "cache-control": "no-store" });
      response.end(request.method === "HEAD" ? undefined : text);
    },
  };
}
