/** What the first attempt waits at the most: when an instance restarts, its clients return spread over this. Milliseconds. */
const FIRST_SPREAD = 1_000;
/** What any attempt waits at the least: a failing socket's last events come before the next socket is made. Milliseconds. */
const MIN_WAIT = 50;
/** What any attempt waits at the most. Milliseconds. */
const MAX_WAIT = 30_000;

/** Waits between attempts. */
export interface BackOff {
  /** Resolves when attempt number `attempt`, from 0, is due. */
  wait(attempt: number): Promise<void>;
  /** Lets every wait end now. */
  end(): void;
}

/**
 * Milliseconds before attempt number `attempt`, from 0: at random within the first second, then within the upper half
 * of 2, 4, 8, 16 and from then on 30 seconds.
 */
export function retryDelay(attempt: number, random: () => number = Math.random): number {
  if (attempt === 0) return MIN_WAIT + random() * (FIRST_SPREAD - MIN_WAIT);
  const longest = Math.min(MAX_WAIT, FIRST_SPREAD * 2 ** attempt);
  return longest / 2 + (random() * longest) / 2;
}

export function createBackOff(): BackOff {
  const waits = new Set<() => void>();
  return {
    wait: (attempt) =>
      new Promise((resolve) => {
        const end = (): void => {
          clearTimeout(timer);
          waits.delete(end);
          resolve();
        };
        const timer = setTimeout(end, retryDelay(attempt));
        waits.add(end);
      }),
    end() {
      for (const end of waits) end();
    },
  };
}
