import { randomUUID } from "node:crypto";
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { Logger } from "pino";
import { ServiceError } from "../error.ts";
import type { Event } from "../event/event.ts";
import { eventIds } from "../event/event-id.ts";
import type { AppendResult, EventLog } from "../event-log/event-log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { handledRequest } from "../telemetry/request-id.ts";
import type { BatchSpan, Tracing } from "../telemetry/tracing.ts";
import { answer } from "./answer.ts";
import { batchTypeOf, parseBatch, type RawEvent } from "./batch.ts";
import { ClientGone, createBodyReader, type Progress } from "./body-reader.ts";
import { createIntakeMeter } from "./intake-meter.ts";
import { openSignedBatch, openUnsignedBatch } from "./open-batch.ts";
import { parseEvent } from "./parse-event.ts";
import { createRefusalLog } from "./refusal-log.ts";
import { createRequestRecorder } from "./request-recorder.ts";
import { createSignatureCheck, type WebhookAuthentication } from "./signature.ts";

export interface WebhookOptions {
  readonly eventLog: Pick<EventLog, "append" | "recordRequests">;
  readonly authentication: WebhookAuthentication;
  readonly maxBodyBytes: number;
  /** Milliseconds without a byte after which a body is given up. @default 30000 */
  readonly bodyTimeoutMs?: number | undefined;
  /** Called after each append, before it is acknowledged. Must not throw. */
  readonly onAppended?: ((batch: AppendedBatch) => void) | undefined;
  readonly metrics: Metrics;
  /** null where batches are not traced. */
  readonly tracing?: Tracing | null | undefined;
  readonly logger: Logger;
  /** Milliseconds since the Unix epoch. @default Date.now */
  readonly now?: (() => number) | undefined;
}

/** A batch that the log has taken in. */
export interface AppendedBatch {
  /** The log's newest number after it. */
  readonly head: number;
  /** Events that the log did not know. */
  readonly appended: number;
  /** When its POST came in: milliseconds of `performance.now()`. */
  readonly arrivedAt: number;
}

/** What a batch is answered with: how many events it held, and what became of them. */
export interface BatchReceipt {
  readonly received: number;
  readonly appended: number;
  readonly duplicates: number;
}

/** Where Mandrill posts to. */
export interface Webhook {
  /**
   * Answers a request: HEAD with 200, whether or not keys are configured (Mandrill checks a URL before it has a key);
   * POST with 200 and a {@link BatchReceipt} once the batch is durable; and all else with `{code, message, expected}`.
   * Never rejects. The request's body must be unread.
   */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Gives up bodies that are still arriving (503), and resolves when all has been answered and recorded. */
  close(): Promise<void>;
}

/** Seconds after which a refused batch may be sent again, for whoever is not Mandrill: it has a rhythm of its own. */
const RETRY_AFTER = "5";

type Exchange = [request: IncomingMessage, response: ServerResponse];

interface RequestProgress extends Progress {
  readonly arrivedAt: number;
  /** Events in the batch; null until it has been read that far. */
  received: number | null;
  readonly span: BatchSpan | null;
}

export function createWebhook({
  eventLog,
  authentication,
  maxBodyBytes,
  bodyTimeoutMs = 30_000,
  onAppended,
  metrics,
  tracing = null,
  logger,
  now = Date.now,
}: WebhookOptions): Webhook {
  const signatures = createSignatureCheck(authentication);
  const bodies = createBodyReader({ maxBytes: maxBodyBytes, idleTimeoutMs: bodyTimeoutMs });
  const refusals = createRefusalLog(logger, now);
  const recorder = createRequestRecorder(eventLog, logger);
  const meter = createIntakeMeter(metrics, now);
  const underWay = new Set<Promise<void>>();

  const take = async (request: IncomingMessage, progress: RequestProgress): Promise<BatchReceipt> => {
    const { method, headers } = request;
    if (method !== "POST") throw methodNotAllowed(method);
    const type = batchTypeOf(headers["content-type"], headers["content-encoding"]);
    const body = await bodies.read(request, progress);
    const signature = headers["x-mandrill-signature"]?.toString();
    const { text, webhook } = signatures.required
      ? openSignedBatch(type, body, signature, signatures)
      : openUnsignedBatch(type, body);
    const appending = append(text, webhook, progress);
    if (appending === null) return { received: 0, appended: 0, duplicates: 0 };
    const { appended, duplicates, head } = await appending;
    onAppended?.({ head, appended, arrivedAt: progress.arrivedAt });
    return { received: appended + duplicates, appended, duplicates };
  };

  /** Not async: a function that waits would keep the parsed events for as long as the log takes. null of no events. */
  const append = (text: string, webhook: string | null, progress: RequestProgress): Promise<AppendResult> | null => {
    const batch = parseBatch(text);
    progress.received = batch.length;
    if (batch.length === 0) return null;
    const ids = eventIds(batch.map(({ content }) => content));
    const { span } = progress;
    const read = ({ raw, rawText }: RawEvent, i: number): Event => {
      return parseEvent(raw, ids[i] as string, webhook, rawText);
    };
    if (span === null) {
      const events = batch.map(read);
      return meter.append(events, () => eventLog.append(events));
    }
    const events = batch.map((element, i): Event => ({ ...read(element, i), traceParent: span.traceParent }));
    const attributes = { "mandrill_live.events": events.length };
    return span.within("append", attributes, () => meter.append(events, () => eventLog.append(events)));
  };

  /** Why a batch was not taken; null where there is nobody to tell. */
  const refusalOf = (error: unknown, progress: RequestProgress): ServiceError | null => {
    if (error instanceof ServiceError) return error;
    if (error instanceof ClientGone) {
      logger.debug({ bytes: progress.bytes }, "a webhook request's connection ended within its body");
      return null;
    }
    const errorId = randomUUID();
    const requestId = handledRequest.getStore();
    logger.error({ err: error, errorId, requestId }, "a webhook request failed unexpectedly");
    const message = `Something went wrong here; the service's log has it under ${errorId}.`;
    return new ServiceError("INTERNAL", message, { errorId });
  };

  const refuse = (refusal: ServiceError, { bytes }: Progress, ...to: Exchange): Promise<void> => {
    const { code, status, message, extensions } = refusal;
    const answered = answer(...to, status, { code, message, ...extensions }, headersFor(status));
    refusals.write({ error: refusal, bytes, triedUrls: status === 401 ? signatures.urls : undefined });
    return answered;
  };

  const serve = async (...exchange: Exchange): Promise<void> => {
    const receivedAt = now();
    const arrivedAt = performance.now();
    const span = tracing?.batch(exchange[0].headers.traceparent?.toString()) ?? null;
    const progress: RequestProgress = { arrivedAt, bytes: 0, received: null, span };
    const outcome = await take(exchange[0], progress).catch((error: unknown) => refusalOf(error, progress));
    if (outcome === null) {
      span?.end("CLIENT_GONE", {});
      return;
    }
    const isRefused = outcome instanceof ServiceError;
    const answered = isRefused ? refuse(outcome, progress, ...exchange) : answer(...exchange, 200, outcome);
    meter.answered(isRefused ? outcome.code : null);
    span?.end(isRefused ? outcome.code : null, { "http.response.status_code": isRefused ? outcome.status : 200 });
    recorder.record({
      id: randomUUID(),
      receivedAt,
      status: isRefused ? outcome.status : 200,
      code: isRefused ? outcome.code : null,
      reason: isRefused ? reasonFor(outcome, signatures.urls) : null,
      received: progress.received,
      appended: isRefused ? null : outcome.appended,
      duplicates: isRefused ? null : outcome.duplicates,
      bytes: progress.bytes,
      durationMs: performance.now() - arrivedAt,
    });
    await answered;
  };

  return {
    async handle(request, response) {
      if (request.method === "HEAD") {
        response.writeHead(200).end();
        return;
      }
      const served = serve(request, response).catch((error: unknown) => {
        logger.error({ err: error }, "a webhook request could not be answered");
        response.destroy();
      });
      underWay.add(served);
      await served;
      underWay.delete(served);
    },
    async close() {
      bodies.close();
      await Promise.all(underWay);
      refusals.close();
      await recorder.close();
    },
  };
}

/** For those who may look requests up. Whoever is refused is not told the URLs. */
function reasonFor({ code, message }: ServiceError, urls: readonly string[]): string {
  return code === "SIGNATURE_MISMATCH" ? `${message} Configured: ${urls.join(", ")}` : message;
}

function methodNotAllowed(method: string | undefined): ServiceError {
  return new ServiceError("METHOD_NOT_ALLOWED", `${method} is not answered here.`, {
    expected: "POST, as Mandrill's webhooks do it, or HEAD, as Mandrill checks a URL",
  });
}

function headersFor(status: number): OutgoingHttpHeaders {
  switch (status) {
    case 405:
      return { allow: "HEAD, POST" };
    case 429:
    case 503:
      return { "retry-after": RETRY_AFTER };
    default:
      return {};
  }
}
