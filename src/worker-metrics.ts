import cluster, { type Worker } from "node:cluster";
import type { Logger } from "pino";
import { AggregatorRegistry, type Registry } from "prom-client";
import { ServiceError } from "./error.ts";

/** How long workers are waited for: half of what Prometheus gives a whole reading. Milliseconds. */
const SHARES_TIMEOUT = 5_000;

/** One worker's share of the metrics. */
type Share = Awaited<ReturnType<Registry["getMetricsAsJSON"]>>;

/** What workers, and the process that started them, tell each other of their metrics. */
export type MetricsMessage =
  /** A worker can be asked for its share from now on. */
  | { readonly type: "metrics-begun" }
  /** A worker wants the metrics of all, and is given them; null where one of them has kept its share to itself. */
  | { readonly type: "metrics-wanted"; readonly id: number }
  | { readonly type: "metrics"; readonly id: number; readonly text: string | null }
  /** A worker is asked for its share, and gives it; null where it cannot be read. */
  | { readonly type: "share-wanted"; readonly id: number }
  | { readonly type: "share"; readonly id: number; readonly share: Share | null };

/** In the process that started the workers: adds their metrics up. */
export interface MetricsExchange {
  heard(from: Worker, message: MetricsMessage): void;
  /** The worker has ended, and its share with it. */
  gone(worker: Worker): void;
}

/** What is being added up. */
interface Sum {
  readonly awaited: Set<Worker>;
  readonly shares: Share[];
  readonly finish: (text: string | null) => void;
}

/**
 * A worker that is still starting has nothing to add, and is not waited for. Without the share of one that has begun
 * there is no sum: counters would fall, and Prometheus would take their return for an increase.
 */
export function createMetricsExchange(logger: Logger): MetricsExchange {
  const begun = new Set<Worker>();
  const sums = new Map<number, Sum>();
  let asked = 0;

  const addUp = (asker: Worker, askedAs: number): void => {
    asked += 1;
    const id = asked;
    const awaited = new Set(begun);
    const finish = (text: string | null): void => {
      clearTimeout(timer);
      sums.delete(id);
      if (text === null) {
        const pids = [...awaited].map((worker) => worker.process.pid);
        logger.warn({ pids }, "the workers' metrics could not be added up: these have not told theirs");
      }
      tell(asker, { type: "metrics", id: askedAs, text });
    };
    const timer = setTimeout(finish, SHARES_TIMEOUT, null);
    sums.set(id, { awaited, shares: [], finish });
    for (const worker of begun) tell(worker, { type: "share-wanted", id });
  };

  const settle = (id: number, { awaited, shares, finish }: Sum, worker: Worker): void => {
    if (!awaited.delete(worker) || awaited.size > 0) return;
    AggregatorRegistry.aggregate(shares)
      .metrics()
      .then(finish, () => finish(null));
    sums.delete(id);
  };

  return {
    heard(from, message) {
      if (message.type === "metrics-begun") begun.add(from);
      if (message.type === "metrics-wanted") addUp(from, message.id);
      if (message.type !== "share") return;
      const sum = sums.get(message.id);
      if (message.share === null) sum?.finish(null);
      else if (sum !== undefined) {
        sum.shares.push(message.share);
        settle(message.id, sum, from);
      }
    },
    gone(worker) {
      begun.delete(worker);
      for (const [id, sum] of sums) settle(id, sum, worker);
    },
  };
}

/**
 * In a worker: the metrics of all workers together, as the process that started them adds them up.
 *
 * @param own this worker's share
 * @returns what reads them; rejects with METRICS_UNAVAILABLE where a worker does not answer
 */
export function createSharedMetrics(own: Registry): () => Promise<string> {
  const waiting = new Map<number, PromiseWithResolvers<string>>();
  let asked = 0;
  cluster.worker?.on("message", (message: MetricsMessage) => {
    if (message.type === "share-wanted") {
      const { id } = message;
      own.getMetricsAsJSON().then(
        (share) => say({ type: "share", id, share }),
        () => say({ type: "share", id, share: null }),
      );
    }
    if (message.type !== "metrics") return;
    const asker = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.text === null) asker?.reject(unavailable());
    else asker?.resolve(message.text);
  });
  say({ type: "metrics-begun" });
  return () => {
    const asker = Promise.withResolvers<string>();
    asked += 1;
    waiting.set(asked, asker);
    say({ type: "metrics-wanted", id: asked });
    return asker.promise;
  };
}

function unavailable(): ServiceError {
  const message = "A worker has not told its metrics, and without it there is no sum. The next reading may have all.";
  return new ServiceError("METRICS_UNAVAILABLE", message);
}

function tell(worker: Worker, message: MetricsMessage): void {
  if (worker.isConnected()) worker.send(message);
}

function say(message: MetricsMessage): void {
  if (cluster.worker !== undefined) tell(cluster.worker, message);
}
