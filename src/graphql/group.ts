import type { DocumentNode, ExecutionResult, GraphQLError, GraphQLSchema } from "graphql";
import type { LiveEntry } from "../event/live-entry.ts";
import type { MarkedEntry } from "../event-log/event-log.ts";
import type { Group } from "../hub/subscriber.ts";
import type { EventContext } from "./context.ts";
import { createEncodingCache, type EncodingCache } from "./encoding-cache.ts";
import { createExecuteEach, type ExecuteEach } from "./joint-execution.ts";

/** What makes two subscribers' results equal, whatever they filter by. */
export interface Selection {
  /** The operation without eventReceived's arguments: what is executed for each entry. */
  readonly document: DocumentNode;
  readonly operationName: string | undefined;
  /** The coerced values of those variables that the document still uses. */
  readonly variableValues: Readonly<Record<string, unknown>>;
  /** All that the execution sees of the viewer. */
  readonly context: EventContext;
  /** Equal for equal selections and for no others. */
  readonly key: string;
}

type PresentError = (error: unknown) => GraphQLError;

export interface GroupsOptions {
  readonly schema: GraphQLSchema;
  /** How an error is told to clients. */
  readonly presentError: PresentError;
}

/** Subscribers that share one execution and one encoding of each event. */
export class SelectionGroup implements Group {
  readonly selection: Selection;
  readonly #executeEach: ExecuteEach;
  readonly #presentError: PresentError;
  readonly #encodings: EncodingCache;

  constructor(selection: Selection, executeEach: ExecuteEach, presentError: PresentError, encodings: EncodingCache) {
    this.selection = selection;
    this.#executeEach = executeEach;
    this.#presentError = presentError;
    this.#encodings = encodings;
  }

  /** The result for each entry. */
  execute(entries: readonly LiveEntry[]): readonly ExecutionResult[] {
    return this.#executeEach(this.selection, entries).map((result, index) => {
      const errors = result.errors?.map((error) => this.#presentError(error));
      const extensions = { cursor: (entries[index] as LiveEntry).cursor };
      return { ...result, ...(errors === undefined ? {} : { errors }), extensions };
    });
  }

  encode(entries: readonly LiveEntry[], isRecent: boolean): readonly Buffer[] {
    const known = entries.map((entry) => this.#encodings.get(this, entry));
    const missing = entries.filter((_entry, index) => known[index] === undefined);
    const made = this.execute(missing).map((result) => Buffer.from(JSON.stringify(result)));
    let next = 0;
    return entries.map((entry, index) => {
      const kept = known[index];
      if (kept !== undefined) return kept;
      const encoding = made[next++] as Buffer;
      if (isRecent) this.#encodings.add(this, entry, encoding);
      return encoding;
    });
  }
}

/** The groups of this process that have subscribers. */
export interface Groups {
  /** The group of this selection, for one more subscriber. */
  enter(selection: Selection): SelectionGroup;
  /** One subscriber less; the last one takes the group with it. */
  leave(group: SelectionGroup): void;
  /** Forgets what was encoded of these entries. */
  erase(erased: readonly MarkedEntry[]): void;
  readonly size: number;
}

export function createGroups(options: GroupsOptions): Groups {
  const groups = new Map<string, { readonly group: SelectionGroup; subscribers: number }>();
  const encodings = createEncodingCache();
  const executeEach = createExecuteEach(options.schema);
  return {
    enter(selection) {
      let known = groups.get(selection.key);
      if (known === undefined) {
        known = { group: new SelectionGroup(selection, executeEach, options.presentError, encodings), subscribers: 0 };
        groups.set(selection.key, known);
      }
      known.subscribers += 1;
      return known.group;
    },
    leave(group) {
      const known = groups.get(group.selection.key);
      if (known === undefined) return;
      known.subscribers -= 1;
      if (known.subscribers > 0) return;
      groups.delete(group.selection.key);
      encodings.drop(group);
    },
    erase: encodings.erase,
    get size() {
      return groups.size;
    },
  };
}
