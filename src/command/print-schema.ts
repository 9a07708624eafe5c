import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { printSchema } from "graphql";
import { schema } from "../graphql/schema.ts";

/**
 * Prints the schema to schema.graphql, or to the file that is named.
 * With `--check` it writes nothing, and ends with 1 where the file does not say what the code says.
 */
const { values, positionals } = parseArgs({
  options: { check: { type: "boolean", default: false } },
  allowPositionals: true,
});
const file = positionals[0] ?? fileURLToPath(new URL("../../schema.graphql", import.meta.url));
const text = `# Printed from src/graphql by \`npm run schema\`.\n\n${printSchema(schema)}\n`;

if (!values.check) {
  await writeFile(file, text);
} else if ((await readFile(file, "utf8").catch(() => null)) !== text) {
  console.error(`${file} is not what src/graphql says. Run \`npm run schema\`.`);
  process.exitCode = 1;
}
