/** Counts what is open at once, by whose it is. */
export interface Quota {
  /** One more for this key: how it is given back, once; null where `max` are open already. */
  take(key: string, max: number): (() => void) | null;
  /** As {@link take}, for whoever keeps the key to {@link leave} by; false where `max` are open already. */
  enter(key: string, max: number): boolean;
  /** One less: to be called once for each that has entered. */
  leave(key: string): void;
}

export function createQuota(): Quota {
  const open = new Map<string, number>();
  const enter = (key: string, max: number): boolean => {
    const count = open.get(key) ?? 0;
    if (count < max) open.set(key, count + 1);
    return count < max;
  };
  const leave = (key: string): void => {
    const left = (open.get(key) ?? 1) - 1;
    if (left === 0) open.delete(key);
    else open.set(key, left);
  };
  return {
    enter,
    leave,
    take(key, max) {
      if (!enter(key, max)) return null;
      let given = true;
      return () => {
        if (given) leave(key);
        given = false;
      };
    },
  };
}
