import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { withMetricsTable } from "../../src/metrics-table.ts";
import { createMetrics, METRICS, type MetricRow } from "../../src/telemetry/metrics.ts";
import { thisMachine } from "../setup/machine.ts";
import { ROOT, textOf } from "./tracked-files.ts";

const DASHBOARD = "docs/grafana-dashboard.json";
const ALERTS = "docs/alerts.yml";

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string };
}

const alerts = (parse(textOf(ALERTS)) as { groups: { rules: Alert[] }[] }).groups.flatMap(({ rules }) => rules);
const panels = (
  JSON.parse(textOf(DASHBOARD)) as {
    panels: {
      id: number;
      title: string;
      type: string;
      gridPos: { x: number; y: number; w: number; h: number };
      targets?: { expr: string }[];
    }[];
  }
).panels;

/** Every expression of the dashboard and of the alerts, by whose it is. */
const EXPRESSIONS: readonly (readonly [whose: string, expr: string])[] = [
  ...panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [`panel ${title}`, expr] as const)),
  ...alerts.map(({ alert, expr }) => [`alert ${alert}`, expr] as const),
];

/** What is read of a metric: a histogram's parts have names of their own. */
const SERIES: ReadonlySet<string> = new Set(
  Object.entries<MetricRow>(METRICS).flatMap(([name, { type }]) =>
    type === "histogram" ? ["_bucket", "_sum", "_count"].map((part) => name + part) : [name],
  ),
);

describe("the metrics' names", () => {
  it.each(Object.entries<MetricRow>(METRICS))("%s follows Prometheus' conventions", (name, { type, help }) => {
    expect(name).toMatch(/^mandrill_live_[a-z]+(_[a-z]+)*$/);
    expect(name.endsWith("_total")).toBe(type === "counter");
    if (type === "histogram") expect(name).toMatch(/_seconds$/);
    expect(help).toMatch(/^[A-Z0-9].*\.$/);
    // It stands in a cell of a table.
    expect(help).not.toMatch(/[|\n]/);
  });
});

describe("docs/metrics.md", () => {
  const page = textOf("docs/metrics.md");

  it("has the table as src/telemetry/metrics.ts has it", () => {
    expect(withMetricsTable(page)).toBe(page);
    const named = [...page.matchAll(/^\| `(mandrill_live_\w+)`/gm)].map(([, name]) => name);
    expect(named).toEqual(Object.keys(METRICS));
  });

  it("is only written between its marks", () => {
    expect(() => withMetricsTable("# A page without marks")).toThrow(/marks of the metrics table are missing/);
  });

  it("names no metric that is not there", () => {
    const named = new Set(page.match(/\bmandrill_live_\w+/g));
    expect([...named].filter((name) => !(name in METRICS))).toEqual([]);
  });
});

describe("the dashboard and the alerts", () => {
  it("read something", () => {
    expect(EXPRESSIONS.length).toBeGreaterThan(40);
  });

  it.each(EXPRESSIONS)("%s reads only metrics that are there", async (_whose, expr) => {
    const { registry } = createMetrics();
    const ofLibrary = new Set(registry.getMetricsAsArray().map(({ name }) => name));
    const read = expr.match(/\b(?:mandrill_live|nodejs|process)_\w+/g) ?? [];
    expect(read.filter((name) => !SERIES.has(name) && !ofLibrary.has(name))).toEqual([]);
  });

  it.each(EXPRESSIONS)("%s takes counters as what they are: they only grow, and begin anew", (_whose, expr) => {
    for (const [name] of expr.matchAll(/\bmandrill_live_\w+(?:_total|_bucket)\b/g)) {
      expect(expr).toMatch(new RegExp(`(?:rate|increase)\\(${name}[{[]`));
    }
  });

  it("are rules to Prometheus itself, where its promtool is at hand", () => {
    const machine = thisMachine();
    const promtool = machine.find(machine.variable("PROMTOOL") ?? "promtool");
    // Where it is not, what stands above and below is what is known of the rules.
    if (promtool === undefined) return;
    const check = (rules: string) => spawnSync(promtool, ["check", "rules", rules], { cwd: ROOT, encoding: "utf8" });
    const { status, stdout, stderr } = check(ALERTS);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toContain(`SUCCESS: ${alerts.length} rules found`);
    expect(check("docs/metrics.md").status).not.toBe(0);
  });

  it.each(EXPRESSIONS)("%s closes what it opens", (_whose, expr) => {
    const open: string[] = [];
    for (const sign of expr.replaceAll(/"[^"]*"/g, "")) {
      if ("([{".includes(sign)) open.push(sign);
      if (")]}".includes(sign)) expect(`${open.pop()}${sign}`).toMatch(/^(?:\(\)|\[\]|\{\})$/);
    }
    expect(open).toEqual([]);
  });

  it.each(alerts)("$alert says how bad it is, what it means and what to look at", ({ alert, labels, ...rest }) => {
    expect(alert).toMatch(/^[A-Z][A-Za-z]+$/);
    expect(labels.severity).toMatch(/^(?:info|warning|critical)$/);
    expect(rest.for ?? "1m").toMatch(/^\d+[smh]$/);
    expect(rest.annotations.summary).toMatch(/\S{3}/);
    expect(rest.annotations.description).toMatch(/\.$/);
  });

  it("have names of their own, and places of their own", () => {
    expect(new Set(alerts.map(({ alert }) => alert)).size).toBe(alerts.length);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(panels.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true);
  });

  it("watch for what nobody may miss", () => {
    const watched = alerts.map(({ expr }) => expr).join("\n");
    for (const name of [
      "last_webhook_timestamp_seconds",
      "webhook_requests_total",
      "append_duration_seconds",
      "feed_lag_entries",
      "gaps_told_total",
      "ready",
    ]) {
      expect(watched).toContain(`mandrill_live_${name}`);
    }
    expect(watched).toMatch(/nodejs_eventloop_lag_p99_seconds/);
    expect(watched).toMatch(/redis_memory_used_bytes/);
  });
});
