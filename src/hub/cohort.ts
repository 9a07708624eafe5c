import {
  type Condition,
  type EventFilter,
  FILTER_FIELDS,
  type FilterField,
  matchesFilter,
  valuesOf,
} from "../event/event-filter.ts";
import type { LiveEntry } from "../event/live-entry.ts";
import type { Group, Subscriber } from "./subscriber.ts";

/** Live subscribers with one group and one filter: whatever matches one matches all, and they are at one place. */
export interface Cohort {
  readonly group: Group;
  readonly filter: EventFilter;
  readonly members: Set<Subscriber>;
}

/** What a cohort wants of some entries, in their order. */
export interface Wanted {
  readonly cohort: Cohort;
  readonly entries: readonly LiveEntry[];
}

/** Who listens, found by what an event bears, so that its cost does not depend on how many are connected. */
export interface CohortIndex {
  join(subscriber: Subscriber): void;
  leave(subscriber: Subscriber): void;
  /** The cohorts that want any of these entries, each once. */
  wanted(entries: readonly LiveEntry[]): readonly Wanted[];
  /** Every live subscriber. */
  subscribers(): Iterable<Subscriber>;
  readonly size: number;
}

/** A cohort where it stands in the index. Of those that want an entry there may be thousands. */
interface Place extends Cohort {
  /** Under which it stands; where there is none it wants every entry. */
  readonly condition: Condition | undefined;
  /** All other conditions: they are tested. */
  readonly rest: EventFilter;
  /** What it wants of the entries that are looked at in `turn`. */
  wanted: LiveEntry[];
  turn: readonly Place[] | null;
}

const NOTHING: LiveEntry[] = [];

/** A cohort stands in the index under its most selective field alone. */
const MOST_SELECTIVE_FIRST = ["messageId", "email", "tag", "subaccount", "type"] as const satisfies FilterField[];

export function createCohortIndex(): CohortIndex {
  const byGroup = new Map<Group, Map<string, Place>>();
  const unfiltered = new Set<Place>();
  const byValue = Object.fromEntries(FILTER_FIELDS.map((field) => [field, new Map<string, Set<Place>>()])) as Record<
    FilterField,
    Map<string, Set<Place>>
  >;
  let size = 0;

  const placeOf = ({ group, filter }: Subscriber): Place => {
    const conditions = MOST_SELECTIVE_FIRST.map((field) => filter.find((one) => one.field === field));
    const condition = conditions.find((one) => one !== undefined);
    const rest = filter.filter((one) => one !== condition);
    return { group, filter, members: new Set(), condition, rest, wanted: NOTHING, turn: null };
  };

  const insert = (place: Place): void => {
    const { condition } = place;
    if (condition === undefined) {
      unfiltered.add(place);
      return;
    }
    for (const value of condition.anyOf) {
      const places = byValue[condition.field].get(value);
      if (places === undefined) byValue[condition.field].set(value, new Set([place]));
      else places.add(place);
    }
  };

  const remove = (place: Place): void => {
    unfiltered.delete(place);
    const { condition } = place;
    if (condition === undefined) return;
    for (const value of condition.anyOf) {
      const places = byValue[condition.field].get(value);
      places?.delete(place);
      if (places?.size === 0) byValue[condition.field].delete(value);
    }
  };

  /** Adds those that want the entry to what was found before. */
  const find = (places: ReadonlySet<Place> | undefined, entry: LiveEntry, found: Place[]): void => {
    for (const place of places ?? []) {
      const isFound = place.turn === found;
      // An event may bear several values under which one cohort stands (two tags): it is met once.
      if ((isFound && place.wanted.at(-1) === entry) || !matchesFilter(place.rest, entry.event)) continue;
      if (!isFound) {
        place.turn = found;
        place.wanted = [];
        found.push(place);
      }
      place.wanted.push(entry);
    }
  };

  /** Nothing of the entries is kept. */
  const taken = (place: Place): Wanted => {
    const { wanted } = place;
    place.wanted = NOTHING;
    place.turn = null;
    return { cohort: place, entries: wanted };
  };

  return {
    join(subscriber) {
      const { group, filter } = subscriber;
      const cohorts = byGroup.get(group) ?? new Map<string, Place>();
      byGroup.set(group, cohorts);
      const key = JSON.stringify(filter);
      let cohort = cohorts.get(key);
      if (cohort === undefined) {
        cohort = placeOf(subscriber);
        cohorts.set(key, cohort);
        insert(cohort);
      }
      // One for all: it is equal, and thousands are kept.
      subscriber.filter = cohort.filter;
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
    wanted(entries) {
      if (entries.length === 0) return [];
      const found: Place[] = [];
      for (const entry of entries) {
        for (const field of FILTER_FIELDS) {
          if (byValue[field].size === 0) continue;
          for (const value of valuesOf(entry.event, field)) find(byValue[field].get(value), entry, found);
        }
      }
      return [...Array.from(unfiltered, (cohort) => ({ cohort, entries })), ...found.map(taken)];
    },
    *subscribers() {
      for (const cohorts of byGroup.values()) for (const { members } of cohorts.values()) yield* members;
    },
    get size() {
      return size;
    },
  };
}
