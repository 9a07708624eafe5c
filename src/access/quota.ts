/** Counts what is open at once, by whose it is. */
export interface Quota {
  /** One more for this key: how it is given back, once; null where `max` are open already. */
  take(key: string, max: number): (() => void) | null;
}

export function createQuota(): Quota {
  const open = new Map<string, number>();
  return {
    take(key, max) {
      const count = open.get(key) ?? 0;
      if (count >= max) return null;
      open.set(key, count + 1);
      let given = true;
      return () => {
        if (!given) return;
        given = false;
        const left = (open.get(key) ?? 1) - 1;
        if (left === 0) open.delete(key);
        else open.set(key, left);
      };
    },
  };
}
