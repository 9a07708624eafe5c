import type { EventLog } from "./event-log/event-log.ts";
import type { Groups } from "./graphql/group.ts";
import type { Hub, HubWatch } from "./hub/hub.ts";
import type { GraphqlSockets } from "./socket/graphql-socket.ts";
import type { Metrics } from "./telemetry/metrics.ts";
import type { Tracing } from "./telemetry/tracing.ts";

/** Codes by which a subscriber is told of a gap. */
const GAPS: ReadonlySet<string> = new Set(["CURSOR_EXPIRED", "CURSOR_UNKNOWN", "SUBSCRIBER_LAGGED"]);

/** Counts, and traces, what the hub does. */
export function watchHub({ of }: Metrics, tracing: Tracing | null): HubWatch {
  return {
    delivered(entries, begunAt) {
      const newest = entries.at(-1);
      if (newest === undefined) return;
      of.mandrill_live_delivery_delay_seconds.observe(Math.max(0, Date.now() - newest.receivedAt) / 1_000);
      // Only here are events decoded that nobody listens for.
      if (tracing === null) return;
      const parents = entries.map(({ event }) => event?.traceParent);
      tracing.delivered(parents, begunAt);
    },
    began(isReplay) {
      if (isReplay) of.mandrill_live_replays_total.inc();
    },
    ended(error) {
      const code = error?.code ?? "OK";
      of.mandrill_live_operations_ended_total.inc({ code });
      if (GAPS.has(code)) of.mandrill_live_gaps_told_total.inc({ code });
    },
  };
}

/** Has what is only a look at the present looked up whenever the metrics are read. */
export function lookUpMetrics(
  metrics: Metrics,
  { hub, groups, sockets, eventLog }: { hub: Hub; groups: Groups; sockets: GraphqlSockets; eventLog: EventLog },
): void {
  metrics.lookUp("mandrill_live_subscribers", () => hub.size);
  metrics.lookUp("mandrill_live_replaying", () => hub.replaying);
  metrics.lookUp("mandrill_live_groups", () => groups.size);
  metrics.lookUp("mandrill_live_sockets", () => sockets.size);
  // Where the log does not answer its gauges stand still: that it does not is for /ready to say.
  const orNothing = (look: Promise<number>): Promise<number | undefined> => look.catch(() => undefined);
  metrics.lookUp("mandrill_live_feed_lag_entries", () =>
    orNothing(eventLog.head().then(({ number }) => Math.max(0, number - (hub.number ?? 0)))),
  );
  metrics.lookUp("mandrill_live_log_entries", () =>
    orNothing(eventLog.head().then(({ number, oldest }) => number - oldest + 1)),
  );
  metrics.lookUp("mandrill_live_log_oldest_age_seconds", () => orNothing(oldestAge(eventLog)));
}

/** Seconds; 0 while the log is empty. */
async function oldestAge(eventLog: EventLog): Promise<number> {
  const { entries } = await eventLog.find({ filter: [], order: "oldest-first", limit: 1 });
  const [oldest] = entries;
  return oldest === undefined ? 0 : Math.max(0, Date.now() - oldest.receivedAt) / 1_000;
}
