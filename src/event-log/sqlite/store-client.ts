import type { Worker } from "node:worker_threads";
import { logUnavailable, ServiceError } from "../../error.ts";
import type { StoreCalls } from "./store-calls.ts";
import type { CallMessage, ReplyMessage } from "./store-server.ts";

export interface StoreClientOptions {
  /** Starts the worker that serves the store. */
  readonly startWorker: () => Worker;
  /** Milliseconds after which a call that was not answered rejects. */
  readonly timeoutMs: number;
  /** Told of a worker that ended unasked. */
  readonly onWorkerLost: (reason: string) => void;
}

/** The store as the main thread has it: every call a promise. */
export interface StoreClient {
  /** Rejects with what the store threw, and with LOG_UNAVAILABLE where the worker does not live to answer. */
  call<M extends keyof StoreCalls>(
    method: M,
    args: Parameters<StoreCalls[M]>,
    timeoutMs?: number | undefined,
  ): Promise<Awaited<ReturnType<StoreCalls[M]>>>;
  /** Answers what was called, closes the store and ends the worker. Later calls reject. */
  close(): Promise<void>;
}

interface Pending {
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** Starts the worker, and again with the first call after it has ended unasked. */
export function createStoreClient({ startWorker, timeoutMs, onWorkerLost }: StoreClientOptions): StoreClient {
  const pending = new Map<number, Pending>();
  let lastId = 0;
  let worker: Worker | undefined = start();
  let closed: Promise<void> | undefined;

  function start(): Worker {
    const started = startWorker();
    let reason = "it ended";
    started.on("message", settle);
    started.on("error", (error) => {
      reason = error instanceof Error ? error.message : String(error);
    });
    // Only at its exit has the thread given the file's lock up.
    started.on("exit", () => lose(reason));
    return started;
  }

  function settle(reply: ReplyMessage): void {
    const call = pending.get(reply.id);
    if (call === undefined) return;
    pending.delete(reply.id);
    clearTimeout(call.timer);
    if ("error" in reply) {
      const { code, message, extensions } = reply.error;
      call.reject(new ServiceError(code, message, extensions));
    } else {
      call.resolve(reply.result as never);
    }
  }

  function lose(reason: string): void {
    worker = undefined;
    for (const { reject, timer } of pending.values()) {
      clearTimeout(timer);
      reject(logUnavailable(`The event log is unavailable: its thread was lost (${reason}).`));
    }
    pending.clear();
    if (closed === undefined) onWorkerLost(reason);
  }

  function post<M extends keyof StoreCalls>(
    method: M,
    args: Parameters<StoreCalls[M]>,
    limitMs: number,
  ): Promise<Awaited<ReturnType<StoreCalls[M]>>> {
    const { promise, resolve, reject } = Promise.withResolvers<Awaited<ReturnType<StoreCalls[M]>>>();
    lastId += 1;
    const id = lastId;
    const timer = setTimeout(() => {
      pending.delete(id);
      reject(logUnavailable(`The event log is unavailable: it has not answered for ${limitMs / 1_000} s.`));
    }, limitMs);
    pending.set(id, { resolve, reject, timer });
    worker ??= start();
    worker.postMessage({ id, method, args } satisfies CallMessage);
    return promise;
  }

  async function close(): Promise<void> {
    const ending = worker;
    if (ending === undefined) return;
    const exit = new Promise<void>((resolve) => ending.once("exit", () => resolve()));
    // A worker that is stuck does not close its file; its thread's end releases the lock all the same.
    await post("close", [], timeoutMs).catch(() => ending.terminate());
    await exit;
  }

  return {
    call(method, args, limitMs = timeoutMs) {
      if (closed !== undefined) return Promise.reject(logUnavailable("The event log is closed."));
      return post(method, args, limitMs);
    },
    close() {
      closed ??= close();
      return closed;
    },
  };
}
