import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/** What a metric is, for whoever reads it: a row of docs/metrics.md. */
export interface MetricRow {
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly labels?: readonly string[];
  /** Values of its one label that are there from the start, at 0: an increase from nothing is not seen as one. */
  readonly known?: readonly string[];
  /** Upper bounds, in the unit of the name. */
  readonly buckets?: readonly number[];
  /** How the values of several workers become one. @default "sum" */
  readonly workers?: "sum" | "max" | "min";
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
    known: [
      "OK",
      "SIGNATURE_MISSING",
      "SIGNATURE_MISMATCH",
      "BATCH_MALFORMED",
      "BODY_TOO_LARGE",
      "UNSUPPORTED_MEDIA_TYPE",
      "REQUEST_TIMEOUT",
      "LOG_UNAVAILABLE",
      "INTERNAL",
    ],
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
    known: ["appended", "duplicate"],
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
  mandrill_live_post_to_frame_seconds: {
    type: "histogram",
    help: "From a POST's arrival at this instance to the frame: how long until its events had been offered to every subscriber here, a batch that something was appended of.",
    buckets: DURATIONS,
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
  mandrill_live_sockets_closed_total: {
    type: "counter",
    help: "WebSockets that have ended, by close code; `other` where it is none of a registry's.",
    labels: ["code"],
  },
  mandrill_live_streams: {
    type: "gauge",
    help: "Answers that stay open: `/events` as `event-stream` and `long-poll`, GraphQL as `graphql-sse` (one operation) and `graphql-stream` (many).",
    labels: ["transport"],
  },
  mandrill_live_replaying: { type: "gauge", help: "Subscribers that are reading from the log, or wait to." },
  mandrill_live_replays_total: { type: "counter", help: "Subscriptions that began behind the head." },
  mandrill_live_frames_sent_total: { type: "counter", help: "WebSocket frames handed to the kernel." },
  mandrill_live_sent_bytes_total: { type: "counter", help: "Bytes of these frames." },
  mandrill_live_operations_ended_total: {
    type: "counter",
    help: "Subscriptions that ended, by code: `OK` where the client or its connection ended them.",
    labels: ["code"],
    known: ["OK"],
  },
  mandrill_live_gaps_told_total: {
    type: "counter",
    help: "Gaps that a subscriber was told of, by code.",
    labels: ["code"],
    known: ["CURSOR_EXPIRED", "CURSOR_UNKNOWN", "SUBSCRIBER_LAGGED"],
  },
  mandrill_live_http_requests_total: {
    type: "counter",
    help: "HTTP requests that are over, by path (`other` where nothing is) and status; of WebSocket handshakes the refused ones.",
    labels: ["path", "status"],
  },
  mandrill_live_graphql_errors_total: {
    type: "counter",
    help: "Errors told to whoever asked by GraphQL, or listened on any transport, by code: refused, limited, failed.",
    labels: ["code"],
    known: ["UNAUTHENTICATED", "FORBIDDEN", "LIMIT_EXCEEDED", "LOG_UNAVAILABLE", "INTERNAL"],
  },
  mandrill_live_stays_ended_total: {
    type: "counter",
    help: "Connections and streams that were ended because their token had `expired`, or was `revoked`.",
    labels: ["reason"],
  },
  mandrill_live_ready: {
    type: "gauge",
    workers: "min",
    help: "1 where `/ready` says yes; 0 where it says no, or the log takes more than a second to answer.",
  },
  mandrill_live_feed_lag_entries: {
    type: "gauge",
    workers: "max",
    help: "Entries that the log holds and this instance has not handed out.",
  },
  mandrill_live_log_entries: { type: "gauge", workers: "max", help: "Entries that the log holds." },
  mandrill_live_log_trimmed_entries_total: {
    type: "counter",
    workers: "max",
    help: "Entries that the log has trimmed since it began.",
  },
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
  /** A gauge or a counter, of one label at the most, whose values are looked up whenever the metrics are read. */
  lookUp(name: MetricName, read: Read): void;
  readonly registry: Registry;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
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
    registry: Registry.merge([registry, processMetrics()]),
  };
}

let ofProcess: Registry | undefined;

/**
 * The library's own. It observes the garbage collector and the event loop, and never stops: so once for a process, and
 * in a registry that keeps nothing of a service which has come and gone in it.
 */
function processMetrics(): Registry {
  if (ofProcess === undefined) {
    ofProcess = new Registry();
    collectDefaultMetrics({ register: ofProcess });
  }
  return ofProcess;
}

/** One value, or one for each value of the label; undefined leaves what there is. */
type Found = number | Readonly<Record<string, number>> | undefined;
type Read = () => Found | Promise<Found>;

function create(name: string, row: MetricRow, registry: Registry, read: Read): Counter | Gauge | Histogram {
  const { type, help, labels = [], known = [], buckets = [], workers = "sum" } = row;
  const common = { name, help, labelNames: [...labels], registers: [registry], aggregator: workers };
  const labelled = (found: Exclude<Found, undefined>): [Record<string, string>, number][] =>
    typeof found === "number"
      ? [[{}, found]]
      : Object.entries(found).map(([value, count]) => [{ [labels[0] as string]: value }, count]);
  switch (type) {
    case "counter": {
      const counter = new Counter({
        ...common,
        async collect() {
          const found = await read();
          if (found === undefined) return;
          this.reset();
          for (const [of, count] of labelled(found)) this.inc(of, count);
        },
      });
      for (const value of known) counter.inc({ [labels[0] as string]: value }, 0);
      return counter;
    }
    case "gauge":
      return new Gauge({
        ...common,
        async collect() {
          const found = await read();
          if (found !== undefined) for (const [of, count] of labelled(found)) this.set(of, count);
        },
      });
    case "histogram":
      return new Histogram({ ...common, buckets: [...buckets] });
  }
}
