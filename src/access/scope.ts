import { type Condition, type EventFilter, type FilterField, normalizeEmail } from "../event/event-filter.ts";

/**
 * What one viewer may see. The lists that are given limit the events together: an event must bear a value of each.
 * A list that is absent does not limit; an empty one allows nothing.
 */
export interface Scope {
  readonly subaccounts?: readonly string[] | undefined;
  readonly tags?: readonly string[] | undefined;
  /** Compared without regard to case. */
  readonly emails?: readonly string[] | undefined;
  /** Whether content is shown: an event's `raw`, and the `text` and `html` of inbound mail. */
  readonly raw: boolean;
}

/** Sees everything: the scope of every viewer while no access rules are configured. */
export const UNSCOPED: Scope = Object.freeze({ raw: true });

/**
 * The conditions that are added to whatever a viewer of `scope` asks for, in a canonical order: equal scopes give
 * equal filters.
 */
export function scopeFilter(scope: Scope): EventFilter {
  const filter: Condition[] = [];
  limit(filter, "subaccount", scope.subaccounts);
  limit(filter, "tag", scope.tags);
  limit(filter, "email", scope.emails?.map(normalizeEmail));
  return filter;
}

/** Whether no event is hidden from `scope`, whatever it is about. */
export function seesEveryEvent(scope: Scope): boolean {
  return scopeFilter(scope).length === 0;
}

/** The same text for scopes that see the same, and another for all others. */
export function scopeKey(scope: Scope): string {
  return JSON.stringify([scope.raw, scopeFilter(scope)]);
}

function limit(filter: Condition[], field: FilterField, allowed: readonly string[] | undefined): void {
  if (allowed !== undefined) filter.push({ field, anyOf: [...new Set(allowed)].sort() });
}
