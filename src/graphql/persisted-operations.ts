import { readFile } from "node:fs/promises";
import { type DocumentNode, type GraphQLSchema, parse, validate } from "graphql";

/** The documents that an operator has put into a file: vetted, and bound by no limit. */
export interface PersistedOperations {
  /** The text kept under an id. */
  textOf(id: string): string | undefined;
  /** The document of a text, where the file has it. */
  document(text: string): DocumentNode | undefined;
  isTrusted(document: DocumentNode): boolean;
}

/**
 * Reads a JSON file that maps ids to documents, as the persisted documents of GraphQL Code Generator do. Rejects where
 * the file cannot be read, or where it has a document that the schema refuses; the message names every such id.
 */
export async function loadPersistedOperations(file: string, schema: GraphQLSchema): Promise<PersistedOperations> {
  const texts = await readTexts(file);
  const documents = new Map<string, DocumentNode>();
  const problems: string[] = [];
  for (const [id, text] of texts) {
    try {
      const document = documents.get(text) ?? parse(text);
      const [error] = validate(schema, document);
      if (error !== undefined) throw error;
      documents.set(text, document);
    } catch (error) {
      problems.push(`${id}: ${error instanceof Error ? error.message : error}`);
    }
  }
  if (problems.length > 0) throw new Error(`PERSISTED_OPERATIONS has faulty documents:\n  ${problems.join("\n  ")}`);
  const trusted = new WeakSet(documents.values());
  return {
    textOf: (id) => texts.get(id),
    document: (text) => documents.get(text),
    isTrusted: (document) => trusted.has(document),
  };
}

async function readTexts(file: string): Promise<ReadonlyMap<string, string>> {
  let content: unknown;
  try {
    content = JSON.parse(await readFile(file, "utf8"));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`PERSISTED_OPERATIONS cannot be read: ${why}`, { cause: error });
  }
  const isMap = typeof content === "object" && content !== null && !Array.isArray(content);
  const entries = isMap ? Object.entries(content as object) : [];
  if (!isMap || entries.some(([, text]) => typeof text !== "string")) {
    throw new Error("PERSISTED_OPERATIONS is no JSON object of ids and documents.");
  }
  return new Map(entries as [string, string][]);
}
