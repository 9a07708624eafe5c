import cluster, { type Worker } from "node:cluster";
import type { Logger } from "pino";
import { createHandedConnections } from "./handed-connections.ts";
import type { Sharing } from "./service.ts";
import { createMetricsExchange, createSharedMetrics, type MetricsMessage } from "./worker-metrics.ts";
import { createQuotaExchange, createSharedQuota, type QuotaMessage } from "./worker-quotas.ts";

/** A worker that ends right after its start is not started again at once: the pause doubles up to the last. Milliseconds. */
const FIRST_PAUSE = 500;
const LAST_PAUSE = 30_000;
/** A worker that has run for so long is taken to be sound. Milliseconds. */
const SOUND_AFTER = 60_000;

/** What a worker tells and asks the process that started it, and what it is told. */
export type WorkerMessage =
  | { readonly type: "listening"; readonly url: string }
  | MetricsMessage
  | QuotaMessage
  | { readonly type: "stop" };

/** Several processes of the service on one port. */
export interface Workers {
  /** Where they listen. */
  readonly url: string;
  /** Asks each to stop in order; resolves when all are gone. */
  stop(): Promise<void>;
}

/**
 * Starts `count` workers, which run the program anew, and keeps that many: one that ends is started again. Resolves
 * when all listen; rejects, and stops the others, where one ends before it did.
 */
export async function startWorkers(count: number, logger: Logger): Promise<Workers> {
  const metrics = createMetricsExchange(logger);
  const connections = createHandedConnections();
  const quotas = createQuotaExchange();
  const running = new Set<Worker>();
  const timers = new Set<NodeJS.Timeout>();
  let stopping = false;
  let pause = FIRST_PAUSE;

  const startAgain = (worker: Worker, lived: number): void => {
    if (stopping) return;
    pause = lived > SOUND_AFTER ? FIRST_PAUSE : Math.min(2 * pause, LAST_PAUSE);
    logger.error({ pid: worker.process.pid, pauseMs: pause }, "a worker has ended and is started again");
    const timer = setTimeout(() => {
      timers.delete(timer);
      start().catch(() => {});
    }, pause);
    timers.add(timer);
  };

  /** Resolves to the URL that the worker listens on. */
  const start = (): Promise<string> =>
    new Promise((resolve, reject) => {
      const startedAt = performance.now();
      const worker = cluster.fork();
      running.add(worker);
      connections.watch(worker);
      // Not node:cluster's own event, which comes first from the port of the metrics where they have one.
      worker.on("message", (message: WorkerMessage) => {
        if (message.type === "quota") quotas.heard(worker, message);
        else if (message.type === "listening") resolve(message.url);
        else if (message.type !== "stop") metrics.heard(worker, message);
      });
      worker.once("exit", () => {
        running.delete(worker);
        quotas.gone(worker);
        metrics.gone(worker);
        reject(new Error("a worker ended before it listened; it has said why"));
        startAgain(worker, performance.now() - startedAt);
      });
    });

  const stop = async (): Promise<void> => {
    stopping = true;
    for (const timer of timers) clearTimeout(timer);
    // By message, and not by signal: a terminal has sent them its own, and a second would end them at once.
    const gone = [...running].map((worker) => {
      if (worker.isConnected()) worker.send({ type: "stop" } satisfies WorkerMessage);
      return new Promise((resolve) => worker.once("exit", resolve));
    });
    await Promise.all(gone);
  };

  // The first alone: where it cannot start, the others could not either, and one reason is enough to read.
  try {
    const url = await start();
    await Promise.all(Array.from({ length: count - 1 }, start));
    return { url, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** In a worker: what it shares with the others. */
export function createSharing(): Sharing {
  return { metrics: createSharedMetrics, quota: createSharedQuota };
}
