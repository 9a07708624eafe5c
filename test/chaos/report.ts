import { isGood, type RunReport } from "./run.ts";

/** Sentences of each kind that are shown. */
const SHOWN = 5;

/** What is printed of one run: its seed, what befell it, what came of it, and what is wrong. */
export function linesOf(report: RunReport): readonly string[] {
  return [lineOf(report), ...faultLines(report)];
}

function lineOf(report: RunReport): string {
  const { seed, ground, faults, acknowledged, delivered, told, lags, findings, answers } = report;
  const injected = [...faults].map(([name, times]) => (times === 1 ? name : `${name} ×${times}`)).join(", ");
  const refusals = [...answers].filter(([answer]) => answer !== "200").map(([answer, times]) => `${answer} ×${times}`);
  return [
    `${isGood(report) ? "good" : "BAD "} seed ${seed} on ${ground}: ${total(faults)} faults, ${acknowledged} acknowledged`,
    refusals.length > 0 ? ` (else ${refusals.join(", ")})` : "",
    `, ${delivered} delivered, ${findings.lost.length} lost, ${findings.doubled.length} doubled`,
    `, ${findings.misordered.length} out of order, ${findings.wrong.length} wrong, ${lags} lags`,
    `, gaps: ${told} told, ${findings.untold.length} untold, ${findings.falselyTold.length} falsely told`,
    `, settled in ${(report.settling / 1_000).toFixed(1)} s\n     ${injected}`,
  ].join("");
}

function faultLines({ findings, complaints, settings }: RunReport): readonly string[] {
  const all = Object.entries({ ...findings, complaints }).filter(([, sentences]) => sentences.length > 0);
  if (all.length === 0) return [];
  const shown = all.flatMap(([kind, sentences]) => [
    ...sentences.slice(0, SHOWN).map((sentence) => `     ${kind}: ${sentence}`),
    ...(sentences.length > SHOWN ? [`     ${kind}: and ${sentences.length - SHOWN} more`] : []),
  ]);
  return [`     ${JSON.stringify(settings)}`, ...shown];
}

/** What is printed of all runs together. */
export function summaryOf(reports: readonly RunReport[]): string {
  const sum = (of: (report: RunReport) => number): number => reports.reduce((so, report) => so + of(report), 0);
  return [
    `${reports.length} runs, ${sum(({ faults }) => total(faults))} faults`,
    `${sum(({ acknowledged }) => acknowledged)} acknowledged`,
    `${sum(({ delivered }) => delivered)} delivered`,
    `${sum(({ findings }) => findings.lost.length)} lost`,
    `${sum(({ findings }) => findings.doubled.length)} doubled`,
    `gaps: ${sum(({ told }) => told)} told, ${sum(({ findings }) => findings.untold.length)} untold`,
  ].join(", ");
}

function total(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}
