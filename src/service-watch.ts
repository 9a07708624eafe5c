import type { Stays } from "./access/stay.ts";
import type { EventLog, Head } from "./event-log/event-log.ts";
import type { Groups } from "./graphql/group.ts";
import type { EventsEndpoint } from "./http/events-endpoint.ts";
import type { GraphqlEndpoint } from "./http/graphql-endpoint.ts";
import type { GraphqlStream } from "./http/graphql-stream.ts";
import type { Health } from "./http/health.ts";
import type { Hub, HubWatch } from "./hub/hub.ts";
import type { PostToFrame } from "./post-to-frame.ts";
import type { GraphqlSockets } from "./socket/graphql-socket.ts";
import type { Metrics } from "./telemetry/metrics.ts";
import type { Tracing } from "./telemetry/tracing.ts";

/** Codes by which a subscriber is told of a gap. */
const GAPS: ReadonlySet<string> = new Set(["CURSOR_EXPIRED", "CURSOR_UNKNOWN", "SUBSCRIBER_LAGGED"]);

/** Whoever reads the metrics waits no longer for the log: they matter most while it does not answer. Milliseconds. */
const LOOK_TIMEOUT = 1_000;

/** Counts, and traces, what the hub does. */
export function watchHub({ of }: Metrics, postToFrame: PostToFrame, tracing: Tracing | null): HubWatch {
  return {
    delivered(entries, begunAt) {
      const [oldest, newest] = [entries[0], entries.at(-1)];
      if (oldest === undefined || newest === undefined) return;
      postToFrame.delivered(oldest.number, newest.number);
      of.mandrill_live_delivery_delay_seconds.observe(Math.max(0, Date.now() - newest.receivedAt) / 1_000);
      // Only here are events decoded that nobody listens for.
      if (tracing === null) return;
      const parents = entries.map(({ event }) => event?.traceParent);
      tracing.delivered(parents, begunAt);
    },
    beganAgain: () => postToFrame.beganAgain(),
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

/** What the metrics are looked up in. */
export interface Watched {
  readonly hub: Hub;
  readonly groups: Groups;
  readonly sockets: GraphqlSockets;
  readonly events: EventsEndpoint;
  readonly endpoint: GraphqlEndpoint;
  readonly graphqlStream: GraphqlStream;
  readonly stays: Stays;
  readonly health: Health;
  readonly eventLog: EventLog;
}

/** Has what is only a look at the present, or is tallied where it happens, looked up whenever the metrics are read. */
export function lookUpMetrics({ lookUp }: Metrics, watched: Watched): void {
  const { hub, groups, sockets, events, endpoint, graphqlStream, stays, health, eventLog } = watched;
  lookUp("mandrill_live_subscribers", () => hub.size);
  lookUp("mandrill_live_replaying", () => hub.replaying);
  lookUp("mandrill_live_groups", () => groups.size);
  lookUp("mandrill_live_sockets", () => sockets.size);
  lookUp("mandrill_live_frames_sent_total", () => sockets.sent.frames);
  lookUp("mandrill_live_sent_bytes_total", () => sockets.sent.bytes);
  lookUp("mandrill_live_sockets_closed_total", () => sockets.endsByCode);
  lookUp("mandrill_live_streams", () => ({
    "event-stream": events.open.streams,
    "long-poll": events.open.polls,
    "graphql-sse": endpoint.open,
    "graphql-stream": graphqlStream.open,
  }));
  lookUp("mandrill_live_stays_ended_total", () => stays.ended);
  lookUp("mandrill_live_ready", async () => ((await inTime(health.isReady())) === true ? 1 : 0));
  // Where the log does not answer, what is known of it stands still: that it does not is for `ready` to say.
  const ofHead = (read: (head: Head) => number) => (): Promise<number | undefined> =>
    inTime(eventLog.head().then(read));
  lookUp(
    "mandrill_live_feed_lag_entries",
    ofHead(({ number }) => Math.max(0, number - (hub.number ?? 0))),
  );
  lookUp(
    "mandrill_live_log_entries",
    ofHead(({ number, oldest }) => number - oldest + 1),
  );
  // Numbers are dense and begin at 1: those below the oldest have gone.
  lookUp(
    "mandrill_live_log_trimmed_entries_total",
    ofHead(({ oldest }) => Math.max(0, oldest - 1)),
  );
  lookUp("mandrill_live_log_oldest_age_seconds", () => inTime(oldestAge(eventLog)));
}

/** undefined where the look fails, or takes too long. */
function inTime<T>(look: Promise<T>): Promise<T | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, LOOK_TIMEOUT, undefined);
    const settle = (found: T | undefined): void => {
      clearTimeout(timer);
      resolve(found);
    };
    look.then(settle, () => settle(undefined));
  });
}

/** Seconds; 0 while the log is empty. */
async function oldestAge(eventLog: EventLog): Promise<number> {
  const { entries } = await eventLog.find({ filter: [], order: "oldest-first", limit: 1 });
  const [oldest] = entries;
  return oldest === undefined ? 0 : Math.max(0, Date.now() - oldest.receivedAt) / 1_000;
}
