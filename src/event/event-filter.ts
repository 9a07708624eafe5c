import type { Event } from "./event.ts";
import type { EventType } from "./event-type.ts";

/** What an event can be found by. */
export const FILTER_FIELDS = ["type", "email", "messageId", "tag", "subaccount"] as const;
export type FilterField = (typeof FILTER_FIELDS)[number];

/** True of an event that bears one of `anyOf` under `field`. An empty `anyOf` is true of none. */
export interface Condition {
  readonly field: FilterField;
  readonly anyOf: readonly string[];
}

/**
 * Conditions that all must hold; none at all holds for every event. One field may stand in several
 * conditions: what a subscriber asks for, and what its scope allows.
 */
export type EventFilter = readonly Condition[];

/** The filter arguments of the schema; null and undefined alike do not limit. */
export interface FilterArguments {
  readonly types?: readonly EventType[] | null | undefined;
  readonly email?: string | null | undefined;
  readonly messageId?: string | null | undefined;
  readonly tag?: string | null | undefined;
  readonly subaccount?: string | null | undefined;
}

/** The spelling under which addresses are compared: without regard to case. */
export function normalizeEmail(email: string): string {
  return email.trim().toLowerCase();
}

/** The filter that the schema's arguments ask for, in a canonical order: equal arguments give equal filters. */
export function filterFromArguments(args: FilterArguments): EventFilter {
  const filter: Condition[] = [];
  if (args.types != null) filter.push({ field: "type", anyOf: [...new Set(args.types)].sort() });
  if (args.email != null) filter.push({ field: "email", anyOf: [normalizeEmail(args.email)] });
  if (args.messageId != null) filter.push({ field: "messageId", anyOf: [args.messageId] });
  if (args.tag != null) filter.push({ field: "tag", anyOf: [args.tag] });
  if (args.subaccount != null) filter.push({ field: "subaccount", anyOf: [args.subaccount] });
  return filter;
}

/** The values by which `event` is found under `field`, each once. */
export function valuesOf(event: Event, field: FilterField): readonly string[] {
  switch (field) {
    case "type":
      return [event.type];
    case "email":
      return event.email === null ? [] : [normalizeEmail(event.email)];
    case "messageId":
      return event.messageId === null ? [] : [event.messageId];
    case "tag":
      return event.message === null ? [] : event.message.tags;
    case "subaccount":
      return event.subaccount === null ? [] : [event.subaccount];
  }
}

/** Whether every condition of `filter` holds for `event`. */
export function matchesFilter(filter: EventFilter, event: Event): boolean {
  return filter.every(({ field, anyOf }) => valuesOf(event, field).some((value) => anyOf.includes(value)));
}
