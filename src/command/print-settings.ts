import { readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { environmentExample, withSettingsTable } from "../settings-table.ts";

/**
 * Writes the table of all settings into README.md, and .env.example.
 * With `--check` it writes nothing, and ends with 1 where a file does not say what src/setting.ts says.
 */
const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });

const root = new URL("../../", import.meta.url);
const FILES: Readonly<Record<string, (text: string) => string>> = {
  "README.md": withSettingsTable,
  ".env.example": environmentExample,
};

for (const [name, written] of Object.entries(FILES)) {
  const file = new URL(name, root);
  const text = await readFile(file, "utf8").catch(() => "");
  const wanted = written(text);
  if (!values.check) {
    await writeFile(file, wanted);
  } else if (text !== wanted) {
    console.error(`${name} is not what src/setting.ts says. Run \`npm run settings\`.`);
    process.exitCode = 1;
  }
}
