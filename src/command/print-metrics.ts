import { readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { withMetricsTable } from "../metrics-table.ts";

/**
 * Writes the table of all metrics into docs/metrics.md.
 * With `--check` it writes nothing, and ends with 1 where the page does not say what src/telemetry/metrics.ts says.
 */
const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });

const page = new URL("../../docs/metrics.md", import.meta.url);
const text = await readFile(page, "utf8");
const wanted = withMetricsTable(text);
if (!values.check) {
  await writeFile(page, wanted);
} else if (text !== wanted) {
  console.error("docs/metrics.md is not what src/telemetry/metrics.ts says. Run `npm run metrics`.");
  process.exitCode = 1;
}
