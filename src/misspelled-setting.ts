/** Edits that a misspelling is away from the name that was meant, at the most. */
const NEAR = 2;
/** What commands read, and the service does not. */
const OF_COMMANDS: readonly string[] = ["MANDRILL_API_KEY"];
/** Shorter names are near to too much: POST to PORT. */
const SHORTEST = 8;

/**
 * Warnings for variables that nobody reads but somebody may have meant: names near to one of `known`, and every other
 * MANDRILL_ name. Other REDIS_ names stay untold: container platforms set REDIS_PORT and its like by themselves.
 */
export function misspelledSettings(given: readonly string[], known: readonly string[]): readonly string[] {
  const warnings: string[] = [];
  for (const name of given) {
    if (name.length < SHORTEST || known.includes(name) || OF_COMMANDS.includes(name)) continue;
    const meant = nearest(name.toUpperCase(), known);
    if (meant !== undefined) warnings.push(`${name} is no setting; is ${meant} meant?`);
    else if (name.startsWith("MANDRILL_")) warnings.push(`${name} is no setting and has no effect.`);
  }
  return warnings;
}

function nearest(name: string, known: readonly string[]): string | undefined {
  const distances = known.map((candidate) => ({ candidate, distance: edits(name, candidate) }));
  return distances.filter(({ distance }) => distance <= NEAR).sort((a, b) => a.distance - b.distance)[0]?.candidate;
}

/** Characters to insert, delete or replace until `from` is `to` (Levenshtein). */
function edits(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (const [line, letter] of [...from].entries()) {
    const next = [line + 1];
    for (const [column, wanted] of [...to].entries()) {
      const replaced = (row[column] ?? 0) + (letter === wanted ? 0 : 1);
      next.push(Math.min(replaced, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
