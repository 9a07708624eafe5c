import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { SingleBar } from "cli-progress";
import { EDGE_FAULTS } from "./edge-faults.ts";
import { GROUNDS, type GroundName, groundOf, groundsWith } from "./grounds.ts";
import { linesOf, summaryOf } from "./report.ts";
import { isGood, type RunReport, runChaos } from "./run.ts";

const USAGE = `Lets faults befall the event log's store, instances and listeners under load, and checks that every listener got
exactly what it asked for, or was told of a gap.

npm run chaos -- [options]
  --seed S        the first seed; the others follow on it          (default: a random one)
  --runs N        runs, a seed each                                (default: 5)
  --seconds T     for how long faults are injected in each         (default: 8)
  --instances I   processes that serve                             (default: 2)
  --ground G      ${Object.keys(GROUNDS).join(", ")}: what the log lies on     (default: drawn from each seed)
  --only FAULTS   these faults alone, with commas between them
  --verbose       shows what the instances of a bad run have printed

Faults on every ground: ${Object.keys(EDGE_FAULTS).join(", ")}.
${Object.entries(GROUNDS)
  .map(([name, { faults }]) => `On ${name}: ${faults.join(", ")}.`)
  .join("\n")}`;

/** Exit code, as shells have it for SIGINT. */
const INTERRUPTED = 130;
/** For an interrupted run. Milliseconds. */
const CLEANING_UP = 5_000;

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    runs: { type: "string", default: "5" },
    seconds: { type: "string", default: "8" },
    instances: { type: "string", default: "2" },
    ground: { type: "string" },
    only: { type: "string" },
    verbose: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});

const only = values.only?.split(",").map((name) => name.trim());
const ground = values.ground as GroundName | undefined;

if (values.help) console.log(USAGE);
else process.exit(await main());

/** What is wrong with what was asked for; null: nothing. */
function complaintOf(first: number, runs: number, seconds: number, instances: number): string | null {
  const grounds = groundsWith(only);
  if (ground !== undefined && !(ground in GROUNDS)) return `There is no ground named ${ground}.\n\n${USAGE}`;
  if (ground === undefined ? grounds.length === 0 : !grounds.includes(ground)) {
    return `${ground === undefined ? "No ground has" : `${ground} has not`} all of these faults: ${only?.join(", ")}.\n\n${USAGE}`;
  }
  const isUsable =
    Number.isInteger(first) && [runs, instances].every((n) => Number.isInteger(n) && n > 0) && seconds > 0;
  return isUsable ? null : USAGE;
}

async function main(): Promise<number> {
  const first = values.seed === undefined ? randomInt(1_000_000) : Number(values.seed);
  const [runs, seconds, instances] = [Number(values.runs), Number(values.seconds), Number(values.instances)];
  const complaint = complaintOf(first, runs, seconds, instances);
  if (complaint !== null) {
    console.error(complaint);
    return 2;
  }

  const interruption = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.once(name, () => {
      interruption.abort(new Error(`interrupted by ${name}`));
      // A terminal has sent it to Redis too, and nobody tells of an end that was not asked for.
      setTimeout(() => process.exit(INTERRUPTED), CLEANING_UP);
    });
  }

  const reports: RunReport[] = [];
  const bad: number[] = [];
  for (let seed = first; seed < first + runs; seed++) {
    try {
      const { signal } = interruption;
      const report = await runWithProgress({ seed, duration: seconds * 1_000, ground, instances, only, signal });
      reports.push(report);
      for (const line of linesOf(report)) console.log(line);
      if (isGood(report)) continue;
      if (values.verbose) console.log(report.printed);
    } catch (error) {
      console.log(
        `BAD  seed ${seed} on ${ground ?? groundOf(seed, only)}: could not be run to its end: ${error instanceof Error ? error.stack : error}`,
      );
    }
    bad.push(seed);
    if (interruption.signal.aborted) break;
  }

  console.log(`\n${summaryOf(reports)}`);
  console.log(bad.length === 0 ? `All ${runs} seeds are good.` : `Bad seeds: ${bad.join(", ")}.`);
  return bad.length === 0 ? 0 : 1;
}

async function runWithProgress(options: Parameters<typeof runChaos>[0]): Promise<RunReport> {
  const { seed, duration } = options;
  const format = `seed ${seed} [{bar}] {value}/{total} s · {faults} faults · {acknowledged} acknowledged · {delivered} delivered`;
  const bar = new SingleBar({ format, clearOnComplete: true, hideCursor: true });
  const begun = performance.now();
  bar.start(Math.round(duration / 1_000), 0, { faults: 0, acknowledged: 0, delivered: 0 });
  try {
    return await runChaos({
      ...options,
      onProgress: (progress) => bar.update(Math.round((performance.now() - begun) / 1_000), progress),
    });
  } finally {
    bar.stop();
  }
}
