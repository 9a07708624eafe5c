import { METRICS, type MetricRow } from "./telemetry/metrics.ts";

/** Between these two lines of docs/metrics.md stands the table. */
const BEGIN = "<!-- metrics: written by `npm run metrics` from src/telemetry/metrics.ts -->";
const END = "<!-- /metrics -->";

const WORKERS = { sum: "added up", max: "the largest", min: "the smallest" } as const;

/** `page` with today's table of metrics between its marks. Throws where the marks are missing. */
export function withMetricsTable(page: string): string {
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from === -1 || to < from) throw new Error(`the marks of the metrics table are missing: ${BEGIN} and ${END}`);
  return `${page.slice(0, from)}${BEGIN}\n${metricsTable()}\n${page.slice(to)}`;
}

function metricsTable(): string {
  const rows = Object.entries<MetricRow>(METRICS).map(([name, { type, labels = [], workers = "sum", help }]) => {
    const cells = [code(name), type, labels.map(code).join(", "), help, WORKERS[workers]];
    return `| ${cells.join(" | ")} |`;
  });
  return ["| Metric | Type | Labels | Meaning | Of several workers |", "| --- | --- | --- | --- | --- |", ...rows].join(
    "\n",
  );
}

function code(text: string): string {
  return `\`${text}\``;
}
