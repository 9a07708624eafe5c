import { type EventFilter, FILTER_FIELDS, type FilterField, matchesFilter, valuesOf } from "../event/event-filter.ts";
import type { LiveEntry } from "../event/live-entry.ts";
import type { Group, Subscriber } from "./subscriber.ts";

/** Live subscribers with one group and one filter: whatever matches one matches all, and they are at one place. */
export interface Cohort {
  readonly group: Group;
  readonly filter: EventFilter;
  readonly members: Set<Subscriber>;
}

/** Who listens, found by what an event bears, so that its cost does not depend on how many are connected. */
export interface CohortIndex {
  join(subscriber: Subscriber): void;
  leave(subscriber: Subscriber): void;
  /** The cohorts that want this entry, each once. */
  matching(entry: LiveEntry): Iterable<Cohort>;
  /** Every live subscriber. */
  subscribers(): Iterable<Subscriber>;
  readonly size: number;
}

/** A cohort stands in the index under its most selective field alone; the rest of its filter is tested. */
const MOST_SELECTIVE_FIRST = ["messageId", "email", "tag", "subaccount", "type"] as const satisfies FilterField[];

export function createCohortIndex(): CohortIndex {
  const byGroup = new Map<Group, Map<string, Cohort>>();
  const unfiltered = new Set<Cohort>();
  const byValue = Object.fromEntries(FILTER_FIELDS.map((field) => [field, new Map<string, Set<Cohort>>()])) as Record<
    FilterField,
    Map<string, Set<Cohort>>
  >;
  let size = 0;

  const indexed = ({ filter }: Cohort): EventFilter[number] | undefined => {
    for (const field of MOST_SELECTIVE_FIRST) {
      const condition = filter.find((one) => one.field === field);
      if (condition !== undefined) return condition;
    }
    return undefined;
  };

  const insert = (cohort: Cohort): void => {
    const condition = indexed(cohort);
    if (condition === undefined) {
      unfiltered.add(cohort);
      return;
    }
    for (const value of condition.anyOf) {
      const cohorts = byValue[condition.field].get(value);
      if (cohorts === undefined) byValue[condition.field].set(value, new Set([cohort]));
      else cohorts.add(cohort);
    }
  };

  const remove = (cohort: Cohort): void => {
    unfiltered.delete(cohort);
    const condition = indexed(cohort);
    for (const value of condition?.anyOf ?? []) {
      const cohorts = byValue[condition?.field ?? "type"].get(value);
      cohorts?.delete(cohort);
      if (cohorts?.size === 0) byValue[condition?.field ?? "type"].delete(value);
    }
  };

  return {
    join(subscriber) {
      const { group, filter } = subscriber;
      const cohorts = byGroup.get(group) ?? new Map<string, Cohort>();
      byGroup.set(group, cohorts);
      const key = JSON.stringify(filter);
      let cohort = cohorts.get(key);
      if (cohort === undefined) {
        cohort = { group, filter, members: new Set() };
        cohorts.set(key, cohort);
        insert(cohort);
      }
      cohort.members.add(subscriber);
      size += 1;
    },
    leave(subscriber) {
      const cohorts = byGroup.get(subscriber.group);
      const key = JSON.stringify(subscriber.filter);
      const cohort = cohorts?.get(key);
      if (cohorts === undefined || cohort === undefined || !cohort.members.delete(subscriber)) return;
      size -= 1;
      if (cohort.members.size > 0) return;
      remove(cohort);
      cohorts.delete(key);
      if (cohorts.size === 0) byGroup.delete(subscriber.group);
    },
    *matching(entry) {
      yield* unfiltered;
      // An event may bear several values under which one cohort stands (two tags): it is met once.
      const met = new Set<Cohort>();
      for (const field of FILTER_FIELDS) {
        const cohortsByValue = byValue[field];
        if (cohortsByValue.size === 0) continue;
        for (const value of valuesOf(entry.event, field)) {
          for (const cohort of cohortsByValue.get(value) ?? []) {
            if (met.has(cohort) || !matchesFilter(cohort.filter, entry.event)) continue;
            met.add(cohort);
            yield cohort;
          }
        }
      }
    },
    *subscribers() {
      for (const cohorts of byGroup.values()) for (const { members } of cohorts.values()) yield* members;
    },
    get size() {
      return size;
    },
  };
}
