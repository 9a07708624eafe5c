import type { CodegenConfig } from "@graphql-codegen/cli";

type Output = Extract<NonNullable<CodegenConfig["generates"][string]>, { preset?: unknown }>;

/** Typed documents of the operations in a folder, as the client preset makes them. */
function typedDocuments(documents: string): Output {
  return {
    preset: "client",
    documents,
    presetConfig: { fragmentMasking: false, skipIndexFile: true },
    config: {
      strictScalars: true,
      scalars: {
        DateTime: "string",
        Cursor: "string",
        JSON: { input: "unknown", output: "unknown" },
      },
      enumType: "string-literal",
      immutableTypes: true,
      useTypeImports: true,
      importExtension: ".ts",
    },
  };
}

/**
 * Types for the operations in this repository, from schema.graphql. Run it after a change to either:
 * `graphql-codegen --config codegen.ts`, with `--check` to see only whether the generated files are current.
 */
const config: CodegenConfig = {
  schema: "schema.graphql",
  generates: {
    "dashboard/generated/": typedDocuments("dashboard/operations/*.graphql"),
    "test/journey/typed-operations/generated/": typedDocuments("test/journey/typed-operations/*.graphql"),
  },
};

export default config;
