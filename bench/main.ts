import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { distinct } from "./distinct.ts";
import { fanOut } from "./fan-out.ts";
import { describeMachine, prepareMachine } from "./harness/machine.ts";
import { type Recorded, record } from "./harness/record.ts";
import { type Figure, figuresTable, plainTable } from "./harness/report.ts";
import { ingest } from "./ingest.ts";
import { latency } from "./latency.ts";
import { PREFIX_LENGTH } from "./load/sample-event.ts";
import { memory } from "./memory.ts";
import type { Bench, Question } from "./question.ts";
import { reading } from "./reading.ts";
import { reconnect } from "./reconnect.ts";
import { tracing } from "./tracing.ts";

const QUESTIONS: readonly Question[] = [ingest, reading, fanOut, latency, memory, distinct, reconnect, tracing];
const RESULTS = fileURLToPath(new URL("./results/", import.meta.url));

const USAGE = `npm run bench [-- options]
  --quick          everything, in about a minute: to see where it stands, not to be quoted
  --only <names>   ${QUESTIONS.map(({ name }) => name).join(", ")} (with commas between them)
  --record         writes the tables and the plot into bench/README.md
  --profile        has the service write CPU profiles to bench/results (it is slower meanwhile)`;

async function main(): Promise<void> {
  const options = readOptions();
  if (options === null) return;
  const { quick, only, profile } = options;
  const machine = machineOrReason();
  if (machine === null) return;
  mkdirSync(RESULTS, { recursive: true });
  const begun = new Date();
  console.log(`${machine}\n${quick ? "Quick: the figures are not to be quoted.\n" : ""}`);
  const answers: Recorded["answers"][number][] = [];
  const failures: string[] = [];
  for (const question of QUESTIONS.filter(({ name }) => only.length === 0 || only.includes(name))) {
    console.log(`\n== ${question.name}: ${question.asks}`);
    const asked = performance.now();
    try {
      const answer = await ask(question, { quick, profile });
      answers.push({ name: question.name, asks: question.asks, answer });
      for (const table of answer.tables) console.log(plainTable(table));
      if (answer.figures.length > 0) console.log(plainTable(figuresTable(answer.figures)));
    } catch (error) {
      failures.push(`${question.name}: ${error instanceof Error ? error.message : error}`);
      console.error(`  failed: ${error instanceof Error ? error.stack : error}`);
    }
    console.log(`  (${Math.round((performance.now() - asked) / 1_000)} s)`);
  }
  const recorded: Recorded = { date: begun.toISOString(), machine, quick, answers };
  const file = `${RESULTS}${begun.toISOString().replaceAll(":", "")}.json`;
  writeFileSync(file, JSON.stringify(recorded, null, 1));
  if (options.record) record(recorded);
  summarize(
    answers.flatMap(({ answer }) => answer.figures),
    begun,
  );
  for (const failure of failures) console.error(`Failed: ${failure}`);
  process.exitCode = failures.length > 0 ? 1 : 0;
}

function summarize(figures: readonly Figure[], begun: Date): void {
  if (figures.length > 0) console.log(plainTable({ ...figuresTable(figures), title: "All figures to reach" }));
  console.log(`Took ${Math.round((Date.now() - begun.getTime()) / 1_000)} s.`);
}

/** What it runs on; null, and said, where nothing can be measured. */
function machineOrReason(): string | null {
  try {
    prepareMachine();
    return describeMachine();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
    return null;
  }
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        quick: { type: "boolean", default: false },
        only: { type: "string", default: "" },
        record: { type: "boolean", default: false },
        profile: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    const only = values.only.split(",").filter((name) => name !== "");
    const unknown = only.find((name) => QUESTIONS.every((question) => question.name !== name));
    if (unknown !== undefined) throw new Error(`there is no question ${unknown}`);
    if (!values.help) return { ...values, only };
    console.log(USAGE);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
    process.exitCode = 2;
  }
  return null;
}

/** Asks one question; whatever it has started is ended before this resolves. */
async function ask(question: Question, { quick, profile }: { readonly quick: boolean; readonly profile: boolean }) {
  const started: { stop(): Promise<void> }[] = [];
  const bench: Bench = {
    quick,
    prefix: randomBytes(PREFIX_LENGTH / 2).toString("hex"),
    nodeFlags: profile ? ["--cpu-prof", `--cpu-prof-dir=${RESULTS}${question.name}`] : [],
    say: (text) => console.log(`  ${text}`),
    use: (one) => {
      started.push(one);
      return one;
    },
  };
  try {
    return await question.answer(bench);
  } finally {
    for (const one of started.reverse()) await one.stop();
  }
}

// Leaving by the front door ends every process that was started.
for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const) {
  process.on(signal, () => process.exit(code));
}
await main();
