import { readFile } from "node:fs/promises";
import { type DocumentNode, type GraphQLSchema, parse, stripIgnoredCharacters, validate } from "graphql";
import pageOperations from "./generated/page-operations.json" with { type: "json" };

/**
 * How much longer than without them a page's document may be with its blanks and comments: nobody has us look at more
 * before it is refused.
 */
const MOST_IGNORED = 4;
const LONGEST = MOST_IGNORED * Math.max(...pageOperations.map(({ length }) => length));

/** The documents that an operator has put into a file, and those of the live page: vetted, and bound by no limit. */
export interface PersistedOperations {
  /** The text kept under an id. */
  textOf(id: string): string | undefined;
  /** The document of a text, where the file has it, or the live page. */
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
  const ofPage = new Map(pageOperations.map((text) => [text, parse(text)]));
  const trusted = new WeakSet([...documents.values(), ...ofPage.values()]);
  return {
    textOf: (id) => texts.get(id),
    // The page's client library prints documents in its own manner.
    document: (text) => documents.get(text) ?? ofPage.get(withoutIgnored(text)),
    isTrusted: (document) => trusted.has(document),
  };
}

/** The text as page-operations.json has it; empty where it is none of those. */
function withoutIgnored(text: string): string {
  try {
    return text.length > LONGEST ? "" : stripIgnoredCharacters(text);
  } catch {
    return "";
  }
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
