import { unauthenticated } from "./refusal.ts";
import { type Scope, UNSCOPED } from "./scope.ts";

/** The JWT claim that narrows what its bearer may see. */
export const SCOPE_CLAIM = "mandrill_live";

const LISTS = ["subaccounts", "tags", "emails"] as const;
const MEMBERS: ReadonlySet<string> = new Set([...LISTS, "raw"]);

/**
 * The scope that a token's claim gives; everything where it has none. Throws UNAUTHENTICATED for a claim of any other
 * shape, an unknown member included: a limit that was misspelt must not be no limit.
 */
export function scopeFromClaim(claim: unknown): Scope {
  if (claim === undefined) return UNSCOPED;
  if (typeof claim !== "object" || claim === null || Array.isArray(claim)) throw malformed("is no object");
  const unknown = Object.keys(claim).find((member) => !MEMBERS.has(member));
  if (unknown !== undefined) {
    throw malformed(`has a member other than ${[...MEMBERS].join(", ")}`);
  }
  const { raw = true, ...lists } = claim as Record<string, unknown>;
  if (typeof raw !== "boolean") throw malformed("has a `raw` that is neither true nor false");
  const scope: Record<string, unknown> = { raw };
  for (const name of LISTS) {
    const list = lists[name];
    if (list === undefined) continue;
    if (!isTexts(list)) throw malformed(`has \`${name}\` that is no list of texts`);
    scope[name] = Object.freeze([...list]);
  }
  return Object.freeze(scope) as unknown as Scope;
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function malformed(what: string): Error {
  return unauthenticated(`The token's claim ${SCOPE_CLAIM} ${what}.`);
}
