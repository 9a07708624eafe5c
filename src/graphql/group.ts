import { type DocumentNode, type ExecutionResult, execute, type GraphQLError, type GraphQLSchema } from "graphql";
import { parseExactly } from "../event/exact-json.ts";
import type { LiveEntry } from "../event/live-entry.ts";
import type { MarkedEntry } from "../event-log/event-log.ts";
import type { Group } from "../hub/subscriber.ts";
import type { EventContext } from "./context.ts";
import { createDataWriters, type WriteData } from "./data-writer.ts";
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

/** A result that is text already. Yoga asks for `stringify`, all others for JSON.stringify's `toJSON`. */
export interface WrittenResult extends ExecutionResult {
  readonly stringify: () => string;
  readonly toJSON?: () => unknown;
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
  readonly #options: GroupsOptions;
  readonly #writeData: WriteData;
  readonly #encodings: EncodingCache;
  /** Those that have entered and not left. */
  subscribers = 0;

  constructor(selection: Selection, options: GroupsOptions, writeData: WriteData, encodings: EncodingCache) {
    this.selection = selection;
    this.#options = options;
    this.#writeData = writeData;
    this.#encodings = encodings;
  }

  /** An entry's result for transports of libraries: that of a long replay takes no memory until it is sent. */
  resultOf(entry: LiveEntry, isRecent: boolean): WrittenResult {
    // At once, since an encoding is kept for others: later the entry may have been erased.
    const encoded = isRecent ? String(this.encode([entry], isRecent)[0]) : null;
    const stringify = (): string => encoded ?? this.#textOf(entry, isRecent);
    return { stringify, toJSON: () => parseExactly(stringify()) };
  }

  encode(entries: readonly LiveEntry[], isRecent: boolean): readonly Buffer[] {
    // Who is alone in it takes the group along when it goes, and with it what was kept.
    const isKept = isRecent && this.subscribers > 1;
    return entries.map((entry) => {
      const kept = this.#encodings.get(this, entry);
      if (kept !== undefined) return kept;
      const encoding = Buffer.from(this.#textOf(entry, isRecent));
      if (isKept) this.#encodings.add(this, entry, encoding);
      return encoding;
    });
  }

  #textOf(entry: LiveEntry, isRecent: boolean): string {
    const data = this.#writeData(entry, isRecent);
    if (data === null) return JSON.stringify(this.#execute(entry));
    return `{"data":${data},"extensions":{"cursor":${JSON.stringify(entry.cursor)}}}`;
  }

  #execute(entry: LiveEntry): ExecutionResult {
    const { schema, presentError } = this.#options;
    const { context, ...selection } = this.selection;
    // No field below Subscription is asynchronous.
    const result = execute({ schema, ...selection, contextValue: context, rootValue: entry }) as ExecutionResult;
    const errors = result.errors?.map(presentError);
    return { ...result, ...(errors === undefined ? {} : { errors }), extensions: { cursor: entry.cursor } };
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
  const groups = new Map<string, SelectionGroup>();
  const encodings = createEncodingCache();
  const writerOf = createDataWriters(options.schema);
  return {
    enter(selection) {
      let group = groups.get(selection.key);
      if (group === undefined) {
        group = new SelectionGroup(selection, options, writerOf(selection), encodings);
        groups.set(selection.key, group);
      }
      group.subscribers += 1;
      return group;
    },
    leave(group) {
      group.subscribers -= 1;
      if (group.subscribers > 0) return;
      groups.delete(group.selection.key);
      encodings.drop(group);
    },
    erase: encodings.erase,
    get size() {
      return groups.size;
    },
  };
}
