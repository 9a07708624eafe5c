import { readdir, readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { concatAST, Kind, parse, print, separateOperations, stripIgnoredCharacters } from "graphql";

/**
 * Writes the live page's operations, each with its fragments behind it, to where the service finds them when it runs
 * without the page's sources.
 * With `--check` it writes nothing, and ends with 1 where the file does not say what dashboard/operations says.
 */
const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });

const folder = new URL("../../dashboard/operations/", import.meta.url);
const file = new URL("../graphql/generated/page-operations.json", import.meta.url);

const names = (await readdir(folder)).sort();
const sources = await Promise.all(names.map((name) => readFile(new URL(name, folder), "utf8")));
const operations = separateOperations(concatAST(sources.map((source) => parse(source))));
const texts = Object.values(operations).map(({ kind, definitions }) => {
  const isOperation = (definition: (typeof definitions)[number]) => definition.kind === Kind.OPERATION_DEFINITION;
  const ordered = [...definitions.filter(isOperation), ...definitions.filter((one) => !isOperation(one))];
  return stripIgnoredCharacters(print({ kind, definitions: ordered }));
});
const wanted = `${JSON.stringify(texts, null, 2)}\n`;

if (!values.check) {
  await writeFile(file, wanted);
} else if ((await readFile(file, "utf8").catch(() => null)) !== wanted) {
  console.error("src/graphql/generated is not what dashboard/operations says. Run `npm run page:operations`.");
  process.exitCode = 1;
}
