import { type DocumentNode, GraphQLError, type GraphQLSchema, parse, validate } from "graphql";

/** Documents remembered, by their text: clients send the same few again and again. */
const MAX_DOCUMENTS = 1_000;

/** Valid documents by their text. */
export interface Documents {
  /** The same node for the same text, or what is wrong with it. */
  get(text: string): DocumentNode | readonly GraphQLError[];
}

export function createDocuments(schema: GraphQLSchema): Documents {
  const documents = new Map<string, DocumentNode>();
  return {
    get(text) {
      let document = documents.get(text);
      if (document === undefined) {
        const parsed = parseOrErrors(schema, text);
        if (!("kind" in parsed)) return parsed;
        document = parsed;
      } else {
        documents.delete(text);
      }
      // Set anew, the text is the one used last; the first key is the one longest unused.
      documents.set(text, document);
      for (const oldest of documents.keys()) {
        if (documents.size <= MAX_DOCUMENTS) break;
        documents.delete(oldest);
      }
      return document;
    },
  };
}

function parseOrErrors(schema: GraphQLSchema, text: string): DocumentNode | readonly GraphQLError[] {
  try {
    const document = parse(text);
    const errors = validate(schema, document);
    return errors.length > 0 ? errors : document;
  } catch (error) {
    if (error instanceof GraphQLError) return [error];
    throw error;
  }
}
