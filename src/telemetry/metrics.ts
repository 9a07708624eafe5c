import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/** What a metric is, for whoever reads it: a row of docs/metrics.md. */
export interface MetricRow {
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly labels?: readonly string[];
  /** Upper bounds, in the unit of the name. */
  readonly buckets?: readonly number[];
  /** How the values of several workers become one. @default "sum" */
  readonly workers?: "sum" | "max";
}

/** From what a local Redis takes to what Mandrill waits for. Seconds. */
const DURATIONS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
/** From a second to the retries of a day. Seconds. */
const AGES = [1, 2, 5, 10, 30, 60, 300, 900, 3_600, 14_400, 86_400];

/**
 * Every metric of ours; those of the process and of Node (`process_`, `nodejs_`, the event loop's delay among them) are
 * the library's own. Names follow Prometheus' conventions: https://prometheus.io/docs/practices/naming/
 */
export const METRICS = {
  mandrill_live_webhook_requests_total: {
    type: "counter",
    help: "Requests to /mandrill by what they were answered with: `OK`, or the code of the refusal.",
    labels: ["code"],
  },
  mandrill_live_events_received_total: {
    type: "counter",
    help: "Events in batches that were acknowledged, by type, duplicates included.",
    labels: ["type"],
  },
  mandrill_live_events_total: {
    type: "counter",
    help: "Events in batches that were acknowledged, by result: `appended` or `duplicate`.",
    labels: ["result"],
  },
  mandrill_live_append_duration_seconds: {
    type: "histogram",
    help: "Time that the event log took for a batch, until it was durable or refused.",
    buckets: DURATIONS,
  },
  mandrill_live_event_delay_seconds: {
    type: "histogram",
    help: "How late the newest event of a batch came: from when it occurred, as Mandrill says, to its receipt.",
    buckets: AGES,
  },
  mandrill_live_last_webhook_timestamp_seconds: {
    type: "gauge",
    workers: "max",
    help: "When a batch was last acknowledged by this instance; 0 before the first.",
  },
  mandrill_live_delivery_delay_seconds: {
    type: "histogram",
    help: "From receipt by the log's clock to the frame: how long an append took to be offered to every subscriber.",
    buckets: DURATIONS,
  },
  mandrill_live_subscribers: { type: "gauge", help: "Running subscriptions, on every transport." },
  mandrill_live_groups: {
    type: "gauge",
    help: "Groups of equal subscriptions: executions an event costs at the most.",
  },
  mandrill_live_sockets: { type: "gauge", help: "Open WebSockets." },
  mandrill_live_replaying: { type: "gauge", help: "Subscribers that are reading from the log, or wait to." },
  mandrill_live_replays_total: { type: "counter", help: "Subscriptions that began behind the head." },
  mandrill_live_frames_sent_total: { type: "counter", help: "WebSocket frames handed to the kernel." },
  mandrill_live_sent_bytes_total: { type: "counter", help: "Bytes of these frames." },
  mandrill_live_operations_ended_total: {
    type: "counter",
    help: "Subscriptions that ended, by code: `OK` where the client or its connection ended them.",
    labels: ["code"],
  },
  mandrill_live_gaps_told_total: {
    type: "counter",
    help: "Gaps that a subscriber was told of, by code.",
    labels: ["code"],
  },
  mandrill_live_feed_lag_entries: {
    type: "gauge",
    workers: "max",
    help: "Entries that the log holds and this instance has not handed out.",
  },
  mandrill_live_log_entries: { type: "gauge", workers: "max", help: "Entries that the log holds." },
  mandrill_live_log_oldest_age_seconds: {
    type: "gauge",
    workers: "max",
    help: "Age of the oldest entry that the log holds.",
  },
} as const satisfies Record<string, MetricRow>;

type Rows = typeof METRICS;
export type MetricName = keyof Rows;
type LabelOf<N extends MetricName> = Rows[N] extends { labels: readonly (infer L extends string)[] } ? L : never;
type MetricOf<N extends MetricName> = {
  counter: Counter<LabelOf<N>>;
  gauge: Gauge<LabelOf<N>>;
  histogram: Histogram<LabelOf<N>>;
}[Rows[N]["type"]];

/** The metrics of one process. */
export interface Metrics {
  /** Every metric by its name. */
  readonly of: { readonly [N in MetricName]: MetricOf<N> };
  /** A gauge, or a counter without labels, whose value is looked up whenever the metrics are read. */
  lookUp(name: MetricName, read: Read): void;
  readonly registry: Registry;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const readings = new Map<string, Read>();
  const of = Object.fromEntries(
    Object.entries(METRICS as Record<string, MetricRow>).map(([name, row]) => [
      name,
      create(name, row, registry, () => readings.get(name)?.()),
    ]),
  );
  return {
    of: of as unknown as Metrics["of"],
    lookUp: (name, read) => void readings.set(name, read),
    registry,
  };
}

/** undefined leaves the value as it is. */
type Read = () => number | undefined | Promise<number | undefined>;

function create(name: string, row: MetricRow, registry: Registry, read: Read): Counter | Gauge | Histogram {
  const { type, help, labels = [], buckets = [], workers = "sum" } = row;
  const common = { name, help, labelNames: [...labels], registers: [registry], aggregator: workers };
  switch (type) {
    case "counter":
      return new Counter({
        ...common,
        async collect() {
          const value = await read();
          if (value === undefined) return;
          this.reset();
          this.inc(value);
        },
      });
    case "gauge":
      return new Gauge({
        ...common,
        async collect() {
          const value = await read();
          if (value !== undefined) this.set(value);
        },
      });
    case "histogram":
      return new Histogram({ ...common, buckets: [...buckets] });
  }
}
