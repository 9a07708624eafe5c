import type { Event } from "../event/event.ts";
import type { AppendResult } from "../event-log/event-log.ts";
import type { Metrics } from "../telemetry/metrics.ts";

/** Measures what comes in. */
export interface IntakeMeter {
  /** Takes the time of an append, and counts its events once they are acknowledged. */
  append(events: readonly Event[], append: () => Promise<AppendResult>): Promise<AppendResult>;
  /** A request was answered with 200, or refused with a code. */
  answered(code: string | null): void;
}

/** @param now milliseconds since the Unix epoch */
export function createIntakeMeter({ of }: Metrics, now: () => number): IntakeMeter {
  const noteEvents = (counts: ReadonlyMap<string, number>, { appended, duplicates }: AppendResult): void => {
    for (const [type, count] of counts) of.mandrill_live_events_received_total.inc({ type }, count);
    of.mandrill_live_events_total.inc({ result: "appended" }, appended);
    of.mandrill_live_events_total.inc({ result: "duplicate" }, duplicates);
    of.mandrill_live_last_webhook_timestamp_seconds.set(now() / 1_000);
  };

  return {
    // Not async, and nothing of the events goes into what waits: they are many, and the log takes its time.
    append(events, append) {
      const counts = new Map<string, number>();
      for (const { type } of events) counts.set(type, (counts.get(type) ?? 0) + 1);
      const occurredAt = events.reduce((newest, event) => Math.max(newest, event.occurredAt ?? 0), 0);
      if (occurredAt > 0) of.mandrill_live_event_delay_seconds.observe(Math.max(0, now() - occurredAt) / 1_000);
      const stopTimer = of.mandrill_live_append_duration_seconds.startTimer();
      const appending = append().finally(stopTimer);
      return appending.then((result) => {
        noteEvents(counts, result);
        return result;
      });
    },
    answered: (code) => of.mandrill_live_webhook_requests_total.inc({ code: code ?? "OK" }),
  };
}
