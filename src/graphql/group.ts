import { type DocumentNode, type ExecutionResult, execute, type GraphQLError, type GraphQLSchema } from "graphql";
import { parseExactly } from "../event/exact-json.ts";
import type { LiveEntry } from "../event/live-entry.ts";
import type { MarkedEntry } from "../event-log/event-log.ts";
import type { Group, RunKind } from "../hub/subscriber.ts";
import type { EventContext } from "./context.ts";
import { createDataWriters, type WriteData } from "./data-writer.ts";
import { createEncodingCache, createTickEncodings, type Encodings } from "./encoding-cache.ts";

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

interface KeptEncodings {
  /** Of what is handed out live. */
  readonly ofTick: Encodings;
  /** Of the newest entries, for those who come back. */
  readonly recent: Encodings;
}

/** Subscribers that share one execution and one encoding of each event. */
export class SelectionGroup implements Group {
  readonly selection: Selection;
  readonly #options: GroupsOptions;
  readonly #writeData: WriteData;
  readonly #encodings: KeptEncodings;
  /** Those that have entered and not left. */
  subscribers = 0;

  constructor(selection: Selection, options: GroupsOptions, writeData: WriteData, encodings: KeptEncodings) {
    this.selection = selection;
    this.#options = options;
    this.#writeData = writeData;
    this.#encodings = encodings;
  }

  /** An entry's result for transports of libraries: that of a long replay takes no memory until it is sent. */
  resultOf(entry: LiveEntry, kind: RunKind): WrittenResult {
    // At once, since an encoding is kept for others: later the entry may have been erased.
    const encoded = kind === "older" ? null : String(this.encode([entry], kind)[0]);
    const stringify = (): string => encoded ?? this.#textOf(entry, kind);
    return { stringify, toJSON: () => parseExactly(stringify()) };
  }

  encode(entries: readonly LiveEntry[], kind: RunKind): readonly Buffer[] {
    const kept = this.#keptFor(kind);
    return entries.map((entry) => {
      const known = kept?.get(this, entry);
      if (known !== undefined) return known;
      const encoding = Buffer.from(this.#textOf(entry, kind));
      kept?.add(this, entry, encoding);
      return encoding;
    });
  }

  /**
   * Where encodings are kept for others. What goes out live is made once a turn and let go: to keep each for those who
   * may come back costs more, in garbage that grows old, than to make it again for the first of them.
   */
  #keptFor(kind: RunKind): Encodings | null {
    // Who is alone in it takes the group along when it goes, and with it what was kept.
    if (kind === "older" || this.subscribers === 1) return null;
    return kind === "live" ? this.#encodings.ofTick : this.#encodings.recent;
  }

  #textOf(entry: LiveEntry, kind: RunKind): string {
    const data = this.#writeData(entry, kind !== "older");
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
  const recent = createEncodingCache();
  const encodings = { ofTick: createTickEncodings(), recent };
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
      recent.drop(group);
    },
    erase: recent.erase,
    get size() {
      return groups.size;
    },
  };
}
