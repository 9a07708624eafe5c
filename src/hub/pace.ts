/** The longest rest between two acts. Milliseconds. */
const MAX_REST = 5;

/** When something is done that costs less if it is done for many things at once. */
export interface Pace {
  /** Acts soon, however often it is asked to meanwhile. */
  soon(): void;
}

/**
 * Acts once everything readable has been read, and then rests for as long as the act has taken: under load, what
 * comes meanwhile is done together, and half of the time stays for other work. What comes seldom, or takes little,
 * never waits.
 */
export function createPace(act: () => void): Pace {
  let isDue = false;
  let restUntil = 0;
  const run = (): void => {
    isDue = false;
    const begun = performance.now();
    act();
    const ended = performance.now();
    restUntil = ended + Math.min(ended - begun, MAX_REST);
  };
  return {
    soon() {
      if (isDue) return;
      isDue = true;
      const rest = restUntil - performance.now();
      if (rest < 1) setImmediate(run);
      else setTimeout(run, rest);
    },
  };
}
