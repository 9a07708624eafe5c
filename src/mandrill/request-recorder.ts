import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import type { WebhookRequest } from "../event/webhook-request.ts";
import { type EventLog, WEBHOOK_REQUESTS_KEPT } from "../event-log/event-log.ts";

/** Milliseconds between two writes: a busy webhook's requests go to the log a few times a second. */
const INTERVAL_MS = 250;

/** Milliseconds that the last write may take: a log that hangs keeps no process for the sake of a by-product. */
const LAST_WRITE_MS = 250;

/**
 * Brings webhook requests to the log, where people look them up. A by-product: it takes turns with nothing, fails
 * nothing, and under pressure keeps the newest.
 */
export interface RequestRecorder {
  record(request: WebhookRequest): void;
  /** Resolves when what was recorded has been written, or could not be in good time. */
  close(): Promise<void>;
}

export function createRequestRecorder(eventLog: Pick<EventLog, "recordRequests">, logger: Logger): RequestRecorder {
  let waiting: WebhookRequest[] = [];
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> | undefined;
  let isClosed = false;
  let lastWrite = Number.NEGATIVE_INFINITY;

  const write = async (): Promise<void> => {
    const requests = waiting;
    waiting = [];
    lastWrite = performance.now();
    try {
      await eventLog.recordRequests(requests);
    } catch (error) {
      logger.debug({ err: error, requests: requests.length }, "webhook requests could not be recorded");
    }
  };

  const flush = (): void => {
    timer = undefined;
    writing = write().finally(() => {
      writing = undefined;
      schedule();
    });
  };

  const schedule = (): void => {
    if (isClosed || waiting.length === 0 || timer !== undefined || writing !== undefined) return;
    // At once where the log has been left alone, so that a single request is seen without delay.
    timer = setTimeout(flush, Math.max(0, lastWrite + INTERVAL_MS - performance.now())).unref();
  };

  return {
    record(request) {
      if (waiting.length === WEBHOOK_REQUESTS_KEPT) waiting.shift();
      waiting.push(request);
      schedule();
    },
    async close() {
      isClosed = true;
      clearTimeout(timer);
      const written = Promise.resolve(writing).then(() => (waiting.length > 0 ? write() : undefined));
      await Promise.race([written, delay(LAST_WRITE_MS, undefined, { ref: false })]);
    },
  };
}
