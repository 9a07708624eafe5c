/** Chance that can be repeated: the same seed gives the same draws in the same order. */
export interface Random {
  /** A whole number from 0 to `limit - 1`. */
  below(limit: number): number;
  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number;
  /** Whether something comes about that does so in `share` of all cases, 0 to 1. */
  chance(share: number): boolean;
  oneOf<T>(choices: readonly [T, ...T[]]): T;
  /** `length` hexadecimal digits. */
  hex(length: number): string;
}

/** Marsaglia's xorshift32: no secret depends on it. */
export function createRandom(seed: number): Random {
  // Neighbouring seeds are spread over all states; of these 0 alone would stay what it is.
  let state = Math.imul(seed + 1, 0x9e37_79b1) || 1;
  const draw = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  const below = (limit: number): number => draw() % limit;
  return {
    below,
    between: (least, most) => least + below(most - least + 1),
    chance: (share) => draw() < share * 2 ** 32,
    oneOf: <T>(choices: readonly [T, ...T[]]) => choices[below(choices.length)] as T,
    hex: (length) => Array.from({ length }, () => below(16).toString(16)).join(""),
  };
}
