/** Choices that are the same for the same seed. */
export interface Random {
  /** A whole number from 0 to `limit - 1`. */
  below(limit: number): number;
  /** A whole number from `low` to `high`. */
  between(low: number, high: number): number;
  /** True once in so many times. */
  onceIn(times: number): boolean;
  oneOf<T>(choices: readonly T[]): T;
  /** Another one for a part that runs beside this one: their turns do not disturb each other. */
  fork(): Random;
}

/** mulberry32, by Tommy Ettinger. */
export function createRandom(seed: number): Random {
  let state = seed | 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const below = (limit: number): number => next() % limit;
  return {
    below,
    between: (low, high) => low + below(high - low + 1),
    onceIn: (times) => below(times) === 0,
    oneOf: <T>(choices: readonly T[]) => choices[below(choices.length)] as T,
    fork: () => createRandom(next()),
  };
}
