import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type GraphQLError, getIntrospectionQuery, print } from "graphql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as generated from "../../../dashboard/generated/graphql.ts";
import { loadConfig } from "../../../src/config.ts";
import { createDocuments, type DocumentRequest, type DocumentsOptions } from "../../../src/graphql/documents.ts";
import { EXAMPLES } from "../../../src/graphql/examples.ts";
import { loadPersistedOperations } from "../../../src/graphql/persisted-operations.ts";
import { schema } from "../../../src/graphql/schema.ts";

const LIMITS = loadConfig({}).documents;

function documentsOf(options: Partial<DocumentsOptions> = {}) {
  return createDocuments({ schema, limits: LIMITS, introspection: true, ...options });
}

/** What is wrong with a document; nothing where it is executed. */
function errorsOf(request: DocumentRequest, options: Partial<DocumentsOptions> = {}): readonly GraphQLError[] {
  const got = documentsOf(options).get(request);
  return "kind" in got ? [] : got;
}

const refusal = (limit: string) => [
  expect.objectContaining({ extensions: expect.objectContaining({ code: "LIMIT_EXCEEDED", limit }) }),
];

describe("what clients send", () => {
  it.each(EXAMPLES.map(({ query }) => query))("is within the limits: %s", (query) => {
    expect(errorsOf({ query })).toEqual([]);
  });

  it("may be GraphiQL's introspection, with all that can be asked for", () => {
    const query = getIntrospectionQuery({
      specifiedByUrl: true,
      directiveIsRepeatable: true,
      schemaDescription: true,
      inputValueDeprecation: true,
    });
    expect(errorsOf({ query })).toEqual([]);
  });

  it("is the same node for the same text", () => {
    const documents = documentsOf();
    expect(documents.parse("{ __typename }")).toBe(documents.parse("{ __typename }"));
  });
});

describe("what is too large", () => {
  const many = (count: number, part: (index: number) => string): string =>
    Array.from({ length: count }, (_, i) => part(i)).join(" ");

  it.each([
    ["MAX_DOCUMENT_LENGTH", `{ __typename } #${"x".repeat(10_000)}`],
    ["MAX_TOKENS", `{ ${"a ".repeat(1_001)} }`],
    ["MAX_DEPTH", `{ ${"... { ".repeat(21)} __typename ${"} ".repeat(21)} }`],
    ["MAX_ALIASES", `{ ${many(31, (i) => `a${i}: event(id: "1") { id }`)} }`],
    ["MAX_DIRECTIVES", `{ ${many(51, () => "__typename @skip(if: false)")} }`],
    [
      "MAX_COST",
      `{ ${many(30, (i) => `a${i}: recentEvents(first: 500) { nodes { id type email name cursor messageId webhook } }`)} }`,
    ],
  ])("is refused by %s", (limit, query) => {
    expect(errorsOf({ query })).toEqual(refusal(limit));
  });

  it("is found in fragments too", () => {
    const spread = `{ ${many(4, (i) => `...F${i}`)} }`;
    const fragments = many(
      4,
      (i) => `fragment F${i} on Query { ${many(8, (j) => `a${i}x${j}: event(id: "1") { id }`)} }`,
    );
    expect(errorsOf({ query: `${spread} ${fragments}` })).toEqual(refusal("MAX_ALIASES"));
  });

  it("costs as much with the number in a variable as with the largest number", () => {
    const ask = (first: string): string =>
      many(25, (i) => `a${i}: recentEvents${first} { nodes { id type email name cursor messageId webhook } }`);
    expect(errorsOf({ query: `query ($n: Int) { ${ask("(first: $n)")} }` })).toEqual(refusal("MAX_COST"));
    expect(errorsOf({ query: `query { ${ask("(first: 100)")} }` })).toEqual([]);
  });

  it("costs the default where no number is given", () => {
    const limits = { ...LIMITS, maxCost: 99 };
    expect(errorsOf({ query: "{ recentEvents { nodes { id } } }" }, { limits })).toEqual(refusal("MAX_COST"));
    expect(errorsOf({ query: "{ recentEvents(first: 1) { nodes { id } } }" }, { limits })).toEqual([]);
  });

  it("is refused before the schema is asked, and a circle of fragments ends", () => {
    expect(errorsOf({ query: `{ ${many(31, (i) => `a${i}: nothing`)} }` })).toEqual(refusal("MAX_ALIASES"));
    const [error] = errorsOf({ query: "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }" });
    expect(error?.message).toMatch(/within itself/);
  });

  it("does not concern a document of a few deep lists of introspection, which graphql refuses by itself", () => {
    const query =
      "{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }";
    expect(errorsOf({ query })[0]?.message).toMatch(/introspection depth/i);
  });
});

describe("with introspection off", () => {
  const options = { introspection: false };

  it.each([
    "{ __schema { queryType { name } } }",
    '{ __type(name: "Event") { name } }',
    "{ ...F } fragment F on Query { __schema { description } }",
  ])("the schema is not told: %s", (query) => {
    expect(errorsOf({ query }, options)[0]?.extensions).toMatchObject({ code: "FORBIDDEN", setting: "INTROSPECTION" });
  });

  it("__typename is, since every cache needs it", () => {
    expect(errorsOf({ query: "{ __typename }" }, options)).toEqual([]);
  });

  it("nothing is suggested", () => {
    const query = "{ recentEvent { head } }";
    expect(errorsOf({ query })[0]?.message).toMatch(/Did you mean/);
    expect(errorsOf({ query }, options)[0]?.message).not.toMatch(/Did you mean/);
  });
});

describe("with persisted operations alone", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "mandrill-live-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  async function persistedOf(content: unknown): Promise<Pick<DocumentsOptions, "persisted">> {
    const file = join(folder, "operations.json");
    await writeFile(file, typeof content === "string" ? content : JSON.stringify(content));
    return { persisted: await loadPersistedOperations(file, schema) };
  }

  const KNOWN = "query Known { recentEvents(first: 1) { head } }";
  const unknown = [expect.objectContaining({ originalError: expect.objectContaining({ code: "OPERATION_UNKNOWN" }) })];

  it("takes what is in the file, by id or by its very text", async () => {
    const options = await persistedOf({ "id-1": KNOWN });
    for (const request of [
      { query: KNOWN },
      { documentId: "id-1" },
      { query: "", extensions: { persistedQuery: { version: 1, sha256Hash: "id-1" } } },
    ]) {
      expect(errorsOf(request, options)).toEqual([]);
    }
  });

  it("takes the live page's own documents, however they are printed, and under no other name", async () => {
    const options = await persistedOf({});
    const own = Object.entries(generated).filter(([name]) => name.endsWith("Document"));
    expect(own.length).toBeGreaterThan(5);
    for (const [name, document] of own) {
      const text = print(document);
      for (const query of [text, `# ${name}\n${text.replaceAll("\n", "\r\n\t")}`]) {
        expect(errorsOf({ query }, options)).toEqual([]);
        // Bound by no limit, as the operator's are.
        expect(errorsOf({ query }, { ...options, limits: { ...LIMITS, maxLength: 10, maxCost: 1 } })).toEqual([]);
      }
      for (const query of [
        `${text} { __typename }`,
        text.replace("}", " __typename }"),
        `${" ".repeat(20_000)}${text}`,
      ]) {
        expect(errorsOf({ query }, options), query).toEqual(unknown);
      }
      expect(errorsOf({ documentId: name }, options)).toEqual(unknown);
    }
  });

  it("takes nothing else", async () => {
    const options = await persistedOf({ "id-1": KNOWN });
    for (const request of [
      { query: `${KNOWN} ` },
      { query: "id-1" },
      { documentId: "id-2", query: KNOWN },
      { documentId: "__proto__" },
      { extensions: { persistedQuery: { sha256Hash: 1 } } },
      { extensions: { persistedQuery: null } },
      {},
    ]) {
      expect(errorsOf(request, options), JSON.stringify(request)).toEqual(unknown);
    }
  });

  it("binds what the operator has vetted by no limit", async () => {
    const options = await persistedOf({ a: KNOWN });
    expect(errorsOf({ query: KNOWN }, { ...options, limits: { ...LIMITS, maxLength: 10, maxCost: 1 } })).toEqual([]);
  });

  it.each([
    ["is no JSON", "{", /cannot be read/],
    ["is no map", [], /no JSON object/],
    ["has something else than texts", { a: 1 }, /no JSON object/],
    [
      "has a faulty document",
      { good: KNOWN, bad: "{ nothing }", worse: "{" },
      /bad: Cannot query field[\s\S]*worse: Syntax Error/,
    ],
  ])("says so where the file %s", async (_what, content, message) => {
    await expect(persistedOf(content)).rejects.toThrow(message);
  });
});
