import { useMemo } from "react";
import { useCell } from "../state/cell.ts";
import { EVENT_TYPES } from "../state/event-types.ts";
import { usePage } from "../state/page-state.ts";
import type { WebhookRequests } from "../state/webhook-watch.ts";
import { ago, exactly, figure, late } from "./words.ts";

/** Newest rows whose lateness is told. */
const SAMPLE = 100;

/** The few figures that say whether all is well. */
export function Facts() {
  const { feed, hour, link, webhook, clock } = usePage();
  const { rows } = useCell(feed.list);
  const { byType } = useCell(hour.counts);
  const { filter } = useCell(link.view);
  const requests = useCell(webhook);
  useCell(clock.seconds);
  const lateness = useMemo(() => medianLateness(rows.slice(0, SAMPLE)), [rows]);
  const posted = lastPosted(requests, rows[0]?.receivedAt);
  const shown = filter.types.length > 0 ? filter.types : EVENT_TYPES;
  const total = shown.flatMap((type) => byType[type]).reduce((sum, number) => sum + number, 0);
  return (
    <dl className="facts">
      <div>
        <dt>Mandrill last posted</dt>
        <dd title={posted === null ? undefined : exactly(posted.at)}>
          {posted === null ? "not yet" : ago(clock.now() - posted.at)}
          {posted?.isRefused && <span className="refused">, refused</span>}
        </dd>
      </div>
      <div>
        <dt>Its events come</dt>
        <dd title={`Median of the newest ${SAMPLE} listed: from when it happened to when it was received.`}>
          {lateness === null ? "–" : late(lateness)}
        </dd>
      </div>
      <div>
        <dt>In the last hour</dt>
        <dd>
          {figure(total)} {total === 1 ? "event" : "events"}
        </dd>
      </div>
    </dl>
  );
}

/** When something was last posted, in milliseconds since the Unix epoch, and whether that was taken. */
function lastPosted(requests: WebhookRequests, newest: string | undefined) {
  const request = Array.isArray(requests) ? requests[0] : undefined;
  const told = Array.isArray(requests) ? request?.receivedAt : newest;
  return told === undefined
    ? null
    : { at: Date.parse(told), isRefused: request !== undefined && request.status >= 400 };
}

function medianLateness(rows: readonly { readonly occurredAt: string | null; readonly receivedAt: string }[]) {
  const known = rows.flatMap(({ occurredAt, receivedAt }) =>
    occurredAt === null ? [] : [Date.parse(receivedAt) - Date.parse(occurredAt)],
  );
  return known.sort((a, b) => a - b)[Math.floor(known.length / 2)] ?? null;
}
