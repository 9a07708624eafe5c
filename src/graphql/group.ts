import { type DocumentNode, type ExecutionResult, execute, type GraphQLError, type GraphQLSchema } from "graphql";
import type { LiveEntry } from "../event/live-entry.ts";
import type { MarkedEntry } from "../event-log/event-log.ts";
import type { Group } from "../hub/subscriber.ts";
import type { EventContext } from "./context.ts";
import { createEncodingCache, type EncodingCache } from "./encoding-cache.ts";

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
  readonly #schema: GraphQLSchema;
  readonly #presentError: PresentError;
  readonly #encodings: EncodingCache;

  constructor(selection: Selection, { schema, presentError }: GroupsOptions, encodings: EncodingCache) {
    this.selection = selection;
    this.#schema = schema;
    this.#presentError = presentError;
    this.#encodings = encodings;
  }

  /** The result for one entry. The schema has no asynchronous field below Subscription. */
  execute(entry: LiveEntry): ExecutionResult {
    const { document, operationName, variableValues, context } = this.selection;
    const result = execute({
      schema: this.#schema,
      document,
      operationName,
      variableValues,
      contextValue: context,
      rootValue: entry,
    }) as ExecutionResult;
    const errors = result.errors?.map((error) => this.#presentError(error));
    return { ...result, ...(errors === undefined ? {} : { errors }), extensions: { cursor: entry.cursor } };
  }

  encode(entry: LiveEntry, isRecent: boolean): Buffer {
    const known = this.#encodings.get(this, entry);
    if (known !== undefined) return known;
    const encoding = Buffer.from(JSON.stringify(this.execute(entry)));
    if (isRecent) this.#encodings.add(this, entry, encoding);
    return encoding;
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
  return {
    enter(selection) {
      let known = groups.get(selection.key);
      if (known === undefined) {
        known = { group: new SelectionGroup(selection, options, encodings), subscribers: 0 };
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
