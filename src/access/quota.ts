/** Counts what is open at once, by whose it is. */
export interface Quota {
  /** One more for this key: how it is given back, once; null where `max` are open already. */
  take(key: string, max: number): (() => void) | null;
  /** As {@link take}, for whoever keeps the key to {@link leave} by; false where `max` are open already. */
  enter(key: string, max: number): boolean;
  /** One less: to be called once for each that has entered. */
  leave(key: string): void;
}

/** Counting together with other processes. */
export interface QuotaShare {
  /** How many of this key all others have, as far as is known. */
  heldByOthers(key: string): number;
  /** So many of this key are open here now. */
  changed(key: string, count: number): void;
}

/**
 * @param share with whom is counted. Default: nobody
 */
export function createQuota(share?: QuotaShare): Quota {
  const open = new Map<string, number>();
  const enter = (key: string, max: number): boolean => {
    const count = open.get(key) ?? 0;
    if (count + (share?.heldByOthers(key) ?? 0) >= max) return false;
    open.set(key, count + 1);
    share?.changed(key, count + 1);
    return true;
  };
  const leave = (key: string): void => {
    const left = (open.get(key) ?? 1) - 1;
    if (left === 0) open.delete(key);
    else open.set(key, left);
    share?.changed(key, left);
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
