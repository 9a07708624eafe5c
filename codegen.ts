import type { CodegenConfig } from "@graphql-codegen/cli";

/**
 * Types for the operations in this repository, from schema.graphql. Run it after a change to either:
 * `graphql-codegen --config codegen.ts`, with `--check` to see only whether the generated files are current.
 */
const config: CodegenConfig = {
  schema: "schema.graphql",
  generates: {
    "test/journey/typed-operations/generated/": {
      preset: "client",
      documents: "test/journey/typed-operations/*.graphql",
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
    },
  },
};

export default config;
