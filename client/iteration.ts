import type { Sink } from "graphql-ws/client";

/**
 * Subscribes at once and hands what comes to an iterator. What comes while nobody asks is kept for it.
 *
 * @param subscribe returns the function that ends the subscription
 */
export function iterate<T>(subscribe: (sink: Sink<T>) => () => void): AsyncIterableIterator<T> {
  const queue: T[] = [];
  let end: { readonly error?: unknown } | undefined;
  let wake = (): void => {};
  const stop = subscribe({
    next(value) {
      queue.push(value);
      wake();
    },
    error(error) {
      end = { error };
      wake();
    },
    complete() {
      end = {};
      wake();
    },
  });
  const iterator = (async function* () {
    for (;;) {
      while (queue.length > 0) yield queue.shift() as T;
      if (end !== undefined) {
        if ("error" in end) throw end.error;
        return;
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  })();
  // A generator that waits would hear of its return only when the next value comes.
  iterator.return = () => {
    queue.length = 0;
    stop();
    return Promise.resolve({ done: true, value: undefined });
  };
  iterator.throw = (error) => {
    void iterator.return();
    return Promise.reject(error);
  };
  return iterator;
}
