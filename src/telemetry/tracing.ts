import { type Context, ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, TraceFlags, trace } from "@opentelemetry/api";

/** Where spans go: the OTLP endpoint, and the name they are filed under. */
export interface TracingSettings {
  /** Base URL of a collector that takes OTLP over HTTP; `/v1/traces` is added to it. */
  readonly endpoint: string;
  readonly serviceName: string;
}

/** The span of one batch, from its request's arrival to its answer. */
export interface BatchSpan {
  /** W3C trace context, kept with the batch's entries: what is done with them later belongs to this trace. */
  readonly traceParent: string;
  /** A span within it, for as long as `work` takes. */
  within<T>(name: string, attributes: Readonly<Record<string, number>>, work: () => Promise<T>): Promise<T>;
  /** @param code of the refusal; null where the batch was acknowledged */
  end(code: string | null, attributes: Readonly<Record<string, number>>): void;
}

/**
 * One trace a batch: the POST, its append, and for every instance that hands the entries out, their way to the frame.
 * Without an endpoint there is no such object, and nothing is done.
 */
export interface Tracing {
  /** @param traceParent the request's header, where whoever posts is traced already */
  batch(traceParent: string | undefined): BatchSpan;
  /**
   * Entries have been handed to all who listen.
   *
   * @param traceParents of the entries, undefined for those without
   * @param begunAt milliseconds since the Unix epoch
   */
  delivered(traceParents: readonly (string | undefined)[], begunAt: number): void;
  /** Sends what is left, where the collector takes it soon. Never rejects. */
  close(): Promise<void>;
}

/** The exporter tries again for longer than a stop may last. Milliseconds. */
const CLOSE_TIMEOUT = 1_000;

/** Loads the exporter only here: where tracing is off it takes neither time nor memory. */
export async function createTracing({ endpoint, serviceName }: TracingSettings): Promise<Tracing> {
  const { BatchSpanProcessor, TracerProvider } = await import("@opentelemetry/sdk-trace");
  const { OTLPTraceExporter } = await import("@opentelemetry/exporter-trace-otlp-http");
  const { resourceFromAttributes } = await import("@opentelemetry/resources");
  const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/$/, "")}/v1/traces` });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ "service.name": serviceName }),
    spanProcessors: [new BatchSpanProcessor({ exporter })],
  });
  const tracer = provider.getTracer("mandrill-live");

  return {
    batch(given) {
      const span = tracer.startSpan("POST /mandrill", { kind: SpanKind.SERVER }, contextOf(given));
      const inside = trace.setSpan(ROOT_CONTEXT, span);
      return {
        traceParent: traceParentOf(span),
        async within(name, attributes, work) {
          const part = tracer.startSpan(name, { attributes }, inside);
          try {
            return await work();
          } catch (error) {
            part.setStatus({ code: SpanStatusCode.ERROR });
            throw error;
          } finally {
            part.end();
          }
        },
        end(code, attributes) {
          span.setAttributes(attributes);
          if (code !== null) {
            span.setAttribute("mandrill_live.code", code);
            span.setStatus({ code: SpanStatusCode.ERROR });
          }
          span.end();
        },
      };
    },
    delivered(traceParents, begunAt) {
      const counts = new Map<string, number>();
      for (const parent of traceParents) if (parent !== undefined) counts.set(parent, (counts.get(parent) ?? 0) + 1);
      for (const [parent, entries] of counts) {
        const attributes = { "mandrill_live.entries": entries };
        tracer.startSpan("deliver", { startTime: begunAt, attributes }, contextOf(parent)).end();
      }
    },
    async close() {
      const timeout = new Promise((resolve) => setTimeout(resolve, CLOSE_TIMEOUT).unref());
      await Promise.race([timeout, provider.shutdown().catch(() => {})]);
    },
  };
}

/** https://www.w3.org/TR/trace-context/#traceparent-header, version 00 */
const TRACE_PARENT = /^00-(?<traceId>[0-9a-f]{32})-(?<spanId>[0-9a-f]{16})-(?<flags>[0-9a-f]{2})$/;

function contextOf(traceParent: string | undefined): Context {
  const { traceId, spanId, flags } = TRACE_PARENT.exec(traceParent ?? "")?.groups ?? {};
  if (traceId === undefined || spanId === undefined) return ROOT_CONTEXT;
  const traceFlags = Number.parseInt(flags ?? "00", 16) & TraceFlags.SAMPLED;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true });
}

function traceParentOf(span: Span): string {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, "0")}`;
}
