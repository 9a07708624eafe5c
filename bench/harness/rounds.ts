/** The value that as many are above as below. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  if (sorted.length % 2 === 1) return sorted[Math.floor(middle)] as number;
  return ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

/** Someone who takes part in every round. */
export interface Turn<T> {
  readonly name: string;
  readonly take: () => Promise<T>;
  /** Rounds to take part in at the most: what is slow would make the others wait. @default all */
  readonly rounds?: number | undefined;
}

/**
 * Lets all take their turns, round after round (A B A B …), so that whatever the machine does meanwhile meets all
 * of them. Results by name, in the order of rounds.
 */
export async function alternate<T>(
  rounds: number,
  turns: readonly Turn<T>[],
): Promise<ReadonlyMap<string, readonly T[]>> {
  const results = new Map<string, T[]>(turns.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const { name, take, rounds: most = rounds } of turns) {
      if (round < most) results.get(name)?.push(await take());
    }
  }
  return results;
}

/** Median of the ratios within each round: neighbours in time, so that the machine's drift cancels out. */
export function pairedRatio<T>(these: readonly T[], those: readonly T[], value: (result: T) => number): number {
  const ratios = these.slice(0, those.length).map((result, round) => value(result) / value(those[round] as T));
  return median(ratios);
}
