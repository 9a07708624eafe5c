import { createRequire } from "node:module";
import { describe, expect, it, vi } from "vitest";
import { createMetrics, METRICS, type MetricRow } from "../../../src/telemetry/metrics.ts";

/** The value of a series in Prometheus' text format. */
function valueIn(text: string, series: string): number | undefined {
  const line = text.split("\n").find((candidate) => candidate.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

describe("the metrics of a process", () => {
  it("are all there before anything has happened, each with its help and type", async () => {
    const text = await createMetrics().registry.metrics();
    for (const [name, { type, help }] of Object.entries<MetricRow>(METRICS)) {
      expect(text).toContain(`# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`);
    }
  });

  it("know from the start what is counted apart: the first increase is one", async () => {
    const text = await createMetrics().registry.metrics();
    expect(valueIn(text, 'mandrill_live_events_total{result="duplicate"}')).toBe(0);
    expect(valueIn(text, 'mandrill_live_webhook_requests_total{code="SIGNATURE_MISMATCH"}')).toBe(0);
    expect(valueIn(text, 'mandrill_live_gaps_told_total{code="CURSOR_UNKNOWN"}')).toBe(0);
  });

  it("look up what is tallied elsewhere, one value or one a label, each time anew", async () => {
    const { lookUp, registry } = createMetrics();
    let frames = 3;
    lookUp("mandrill_live_frames_sent_total", () => frames);
    lookUp("mandrill_live_sockets_closed_total", () => ({ "1000": 2, "1006": frames }));
    lookUp("mandrill_live_streams", async () => ({ "long-poll": 4 }));
    const first = await registry.metrics();
    expect(valueIn(first, "mandrill_live_frames_sent_total")).toBe(3);
    expect(valueIn(first, 'mandrill_live_sockets_closed_total{code="1000"}')).toBe(2);
    expect(valueIn(first, 'mandrill_live_streams{transport="long-poll"}')).toBe(4);
    frames = 5;
    const second = await registry.metrics();
    expect(valueIn(second, "mandrill_live_frames_sent_total")).toBe(5);
    expect(valueIn(second, 'mandrill_live_sockets_closed_total{code="1006"}')).toBe(5);
  });

  it("keep the last value of what cannot be looked up", async () => {
    const { lookUp, registry } = createMetrics();
    let entries: number | undefined = 7;
    lookUp("mandrill_live_log_entries", () => entries);
    lookUp("mandrill_live_log_trimmed_entries_total", () => entries);
    await registry.metrics();
    entries = undefined;
    const text = await registry.metrics();
    expect(valueIn(text, "mandrill_live_log_entries")).toBe(7);
    expect(valueIn(text, "mandrill_live_log_trimmed_entries_total")).toBe(7);
  });

  it("are each process's own, and observe it once, however many services come and go in it", async () => {
    createMetrics();
    const hooks = createRequire(import.meta.url)("node:perf_hooks") as typeof import("node:perf_hooks");
    const delay = vi.spyOn(hooks, "monitorEventLoopDelay");
    const observed = vi.spyOn(hooks.PerformanceObserver.prototype, "observe");
    try {
      const [one, other] = [createMetrics(), createMetrics()];
      one.of.mandrill_live_replays_total.inc();
      const [ofOne, ofOther] = await Promise.all([one.registry.metrics(), other.registry.metrics()]);
      expect([ofOne, ofOther].map((text) => valueIn(text, "mandrill_live_replays_total"))).toEqual([1, 0]);
      for (const text of [ofOne, ofOther]) expect(text).toMatch(/^nodejs_eventloop_lag_p99_seconds \d/m);
      expect(delay).not.toHaveBeenCalled();
      expect(observed).not.toHaveBeenCalled();
    } finally {
      vi.restoreAllMocks();
    }
  });
});
