import { useSyncExternalStore } from "react";

/** One value that changes, and who wants to know. */
export interface Cell<T> {
  get(): T;
  set(value: T): void;
  /** Calls `listener` after every change, until the returned function is called. */
  subscribe(listener: () => void): () => void;
}

export function createCell<T>(initial: T): Cell<T> {
  let value = initial;
  const listeners = new Set<() => void>();
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of listeners) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** The value of a cell, for a component that is to follow it. */
export function useCell<T>(cell: Pick<Cell<T>, "get" | "subscribe">): T {
  return useSyncExternalStore(cell.subscribe, cell.get);
}
