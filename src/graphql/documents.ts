import {
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  specifiedRules,
  type ValidationRule,
  validate,
} from "graphql";
import { ServiceError } from "../error.ts";
import { countedDocument } from "./counted-document.ts";
import { costRule, type DocumentLimits, parseWithinLimits, shapeRules } from "./document-limits.ts";
import type { PersistedOperations } from "./persisted-operations.ts";

/** Documents remembered, by their text: clients send the same few again and again. */
const MAX_DOCUMENTS = 1_000;

export interface DocumentsOptions {
  readonly schema: GraphQLSchema;
  readonly limits: DocumentLimits;
  /** Whether the schema may be asked for, and errors suggest what may have been meant. */
  readonly introspection: boolean;
  /** Where it is given, no other document is executed. */
  readonly persisted?: PersistedOperations | undefined;
}

/** The part of a request that says which document is meant. */
export interface DocumentRequest {
  readonly query?: unknown;
  readonly documentId?: unknown;
  readonly extensions?: unknown;
}

/** Which documents are executed: one judge for HTTP, SSE and WebSocket. */
export interface Documents {
  /**
   * The text that a request asks for, by itself or by its id. Throws OPERATION_UNKNOWN where only persisted operations
   * are executed and this is none of them.
   */
  textOf(request: DocumentRequest): string;
  /** The same node for the same text. Throws a GraphQLError where it is no document, or too long. */
  parse(text: string): DocumentNode;
  /** What is wrong with a document of `parse`; nothing where it may be executed. */
  validate(document: DocumentNode): readonly GraphQLError[];
  /** The document that a request asks for, or what is wrong with it. */
  get(request: DocumentRequest): DocumentNode | readonly GraphQLError[];
  /** For execution: whether errors of variables are to suggest nothing. */
  readonly hideSuggestions: boolean;
}

export function createDocuments({ schema, limits, introspection, persisted }: DocumentsOptions): Documents {
  const documents = new Map<string, DocumentNode>();
  const verdicts = new WeakMap<DocumentNode, readonly GraphQLError[]>();
  const firstRules = [...shapeRules(limits), ...(introspection ? [] : [noIntrospection])];
  const costRules = [costRule(limits)];
  const options = { hideSuggestions: !introspection };

  const judge = (document: DocumentNode): readonly GraphQLError[] => {
    // The limits come first: what the schema says of an oversized document is not worth the time.
    const shape = validate(schema, document, firstRules, options);
    if (shape.length > 0) return shape;
    const errors = validate(schema, document, specifiedRules, options);
    if (errors.length > 0) return errors;
    return validate(schema, countedDocument(schema, document, limits.maxFirst), costRules);
  };

  const verdictOn = (document: DocumentNode): readonly GraphQLError[] => {
    // What stands in the operator's file was checked when it was read, and is bound by no limit.
    if (persisted?.isTrusted(document) === true) return [];
    let verdict = verdicts.get(document);
    if (verdict === undefined) {
      verdict = judge(document);
      verdicts.set(document, verdict);
    }
    return verdict;
  };

  const textOf = ({ query, documentId, extensions }: DocumentRequest): string => {
    if (persisted === undefined) return typeof query === "string" ? query : "";
    const id = persistedIdOf(extensions) ?? documentId;
    const text = typeof id === "string" ? persisted.textOf(id) : query;
    if (typeof text === "string" && persisted.document(text) !== undefined) return text;
    throw new ServiceError(
      "OPERATION_UNKNOWN",
      "Only persisted operations are executed here, and this is none of them.",
    );
  };

  const parse = (text: string): DocumentNode => {
    const trusted = persisted?.document(text);
    if (trusted !== undefined) return trusted;
    const document = documents.get(text) ?? parseWithinLimits(text, limits);
    // Set anew, the text is the one used last; the first key is the one longest unused.
    documents.delete(text);
    documents.set(text, document);
    for (const oldest of documents.keys()) {
      if (documents.size <= MAX_DOCUMENTS) break;
      documents.delete(oldest);
    }
    return document;
  };

  return {
    textOf,
    parse,
    validate: verdictOn,
    get(request) {
      try {
        const document = parse(textOf(request));
        const errors = verdictOn(document);
        return errors.length > 0 ? errors : document;
      } catch (error) {
        if (error instanceof GraphQLError) return [error];
        if (error instanceof ServiceError) return [new GraphQLError(error.message, { originalError: error })];
        throw error;
      }
    },
    hideSuggestions: options.hideSuggestions,
  };
}

const noIntrospection: ValidationRule = (context) => ({
  Field: (node) => {
    if (node.name.value !== "__schema" && node.name.value !== "__type") return;
    const extensions = { code: "FORBIDDEN", setting: "INTROSPECTION" };
    context.reportError(new GraphQLError("Introspection is switched off here.", { nodes: node, extensions }));
  },
});

/** As Apollo's and urql's clients send it: `extensions.persistedQuery.sha256Hash`. */
function persistedIdOf(extensions: unknown): unknown {
  const { persistedQuery } = (extensions ?? {}) as { persistedQuery?: { sha256Hash?: unknown } | null };
  return persistedQuery?.sha256Hash;
}
