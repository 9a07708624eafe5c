/** Lets some be at work at once, and the others in the order in which they came. */
export interface Line {
  /** null where it is one's turn already, else resolves when it is. Whoever was let in has to {@link leave}. */
  enter(): Promise<void> | null;
  /** Lets the next in. */
  leave(): void;
}

/**
 * @param atOnce how many may be at work
 */
export function createLine(atOnce: number): Line {
  let atWork = 0;
  const waiting: (() => void)[] = [];
  return {
    enter() {
      if (atWork >= atOnce) return new Promise((resolve) => waiting.push(resolve));
      atWork += 1;
      return null;
    },
    leave() {
      // The place goes straight to the next in line, so that nobody who comes now slips in before.
      const next = waiting.shift();
      if (next === undefined) atWork -= 1;
      else next();
    },
  };
}
