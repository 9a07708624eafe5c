import { readFileSync, writeFileSync } from "node:fs";
import { barPlot } from "./plot.ts";
import { type Answer, figuresTable, markdownTable } from "./report.ts";

/** What one run of the bench has found. */
export interface Recorded {
  /** RFC 3339: when it began. */
  readonly date: string;
  readonly machine: string;
  readonly quick: boolean;
  readonly answers: readonly { readonly name: string; readonly asks: string; readonly answer: Answer }[];
}

const README = new URL("../README.md", import.meta.url);
const FOLDER = new URL("../", import.meta.url);

/** Writes each question's tables between its marks in bench/README.md, and the plots beside it. */
export function record({ date, machine, quick, answers }: Recorded): void {
  let page = readFileSync(README, "utf8");
  for (const { name, answer } of answers) {
    const [begin, end] = [`<!-- results: ${name} -->`, `<!-- /results: ${name} -->`];
    const [from, to] = [page.indexOf(begin), page.indexOf(end)];
    if (from === -1 || to < from) throw new Error(`bench/README.md lacks the marks ${begin} and ${end}`);
    const dated = `${date.slice(0, 10)}${quick ? ", quick (not to be quoted)" : ""}: ${machine}.`;
    const tables = [...answer.tables, ...(answer.figures.length > 0 ? [figuresTable(answer.figures)] : [])];
    const text = [dated, "", ...tables.map(markdownTable)].join("\n");
    page = `${page.slice(0, from)}${begin}\n${text}${page.slice(to)}`;
    if (answer.plot !== undefined) {
      const subtitle = `${answer.plot.subtitle} ${date.slice(0, 10)}, ${machine}.`;
      writeFileSync(new URL(`${name}.svg`, FOLDER), barPlot({ ...answer.plot, subtitle }));
    }
  }
  writeFileSync(README, page);
}
