import cluster, { type Worker } from "node:cluster";
import type { QuotaShare } from "./access/quota.ts";

/** How many a process holds of each of these keys, or all others together; 0 for none any more. */
type Counts = readonly (readonly [key: string, count: number])[];

/** What workers say of their own counts, and are told of the others'. Without counts: asks for all of them. */
export interface QuotaMessage {
  readonly type: "quota";
  readonly name: string;
  readonly counts: Counts;
}

/** In the process that started the workers: tells each what the others hold. */
export interface QuotaExchange {
  heard(from: Worker, message: QuotaMessage): void;
  /** The worker has ended, and holds nothing. */
  gone(worker: Worker): void;
}

export function createQuotaExchange(): QuotaExchange {
  /** By the quota's name, what each worker holds. */
  const quotas = new Map<string, Map<Worker, Map<string, number>>>();

  const tell = (to: Worker, name: string, keys: Iterable<string>): void => {
    const held = [...(quotas.get(name) ?? [])].filter(([worker]) => worker !== to);
    const counts = Array.from(new Set(keys), (key): [string, number] => [
      key,
      held.reduce((sum, [, own]) => sum + (own.get(key) ?? 0), 0),
    ]);
    if (to.isConnected()) to.send({ type: "quota", name, counts } satisfies QuotaMessage);
  };
  const tellOthers = (than: Worker, name: string, keys: readonly string[]): void => {
    for (const worker of quotas.get(name)?.keys() ?? []) if (worker !== than) tell(worker, name, keys);
  };

  return {
    heard(from, { name, counts }) {
      const workers = quotas.get(name) ?? new Map<Worker, Map<string, number>>();
      quotas.set(name, workers);
      const own = workers.get(from) ?? new Map<string, number>();
      workers.set(from, own);
      for (const [key, count] of counts) {
        if (count === 0) own.delete(key);
        else own.set(key, count);
      }
      const keys = counts.map(([key]) => key);
      if (keys.length > 0) return tellOthers(from, name, keys);
      tell(
        from,
        name,
        [...workers.values()].flatMap((each) => [...each.keys()]),
      );
    },
    gone(worker) {
      for (const [name, workers] of quotas) {
        const keys = [...(workers.get(worker)?.keys() ?? [])];
        workers.delete(worker);
        tellOthers(worker, name, keys);
      }
    },
  };
}

/**
 * In a worker: what all others hold, as they last said. Those that come in the same moment to several workers may be a
 * few more than may be.
 */
export function createSharedQuota(name: string): QuotaShare {
  const others = new Map<string, number>();
  const changed = new Map<string, number>();
  const say = (counts: Counts): void => {
    const { worker } = cluster;
    if (worker?.isConnected() === true) worker.send({ type: "quota", name, counts } satisfies QuotaMessage);
  };
  cluster.worker?.on("message", (message: QuotaMessage) => {
    if (message.type !== "quota" || message.name !== name) return;
    for (const [key, count] of message.counts) {
      if (count === 0) others.delete(key);
      else others.set(key, count);
    }
  });
  say([]);
  return {
    heldByOthers: (key) => others.get(key) ?? 0,
    changed(key, count) {
      // One message for all of a turn: a deploy sends thousands at once.
      if (changed.size === 0) {
        setImmediate(() => {
          say([...changed]);
          changed.clear();
        });
      }
      changed.set(key, count);
    },
  };
}
