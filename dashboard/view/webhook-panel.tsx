import { useCell } from "../state/cell.ts";
import { usePage } from "../state/page-state.ts";
import type { WebhookRequest } from "../state/webhook-watch.ts";
import { bytes, count, exactly, moment } from "./words.ts";

/** What the webhook has lately been sent, and why it was refused where it was. */
export function WebhookPanel() {
  const requests = useCell(usePage().webhook);
  if (requests === "hidden") return null;
  return (
    <section className="webhook card" id="webhook" aria-labelledby="webhook-title" tabIndex={-1}>
      <div className="toolbar">
        <h2 id="webhook-title">Webhook requests</h2>
      </div>
      {requests?.length === 0 && <p className="empty">Nothing has been posted yet.</p>}
      {requests !== null && requests.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
        <ol className="requests" tabIndex={0} aria-label="Webhook requests, newest first">
          {requests.map((request) => (
            <Request key={request.id} request={request} />
          ))}
        </ol>
      )}
    </section>
  );
}

function Request({ request }: { readonly request: WebhookRequest }) {
  const { status, code, reason, received, appended, duplicates, durationMs } = request;
  const isRefused = status >= 400;
  const at = Date.parse(request.receivedAt);
  return (
    <li data-refused={isRefused || undefined}>
      <div className="headline">
        <strong className="status">{status}</strong>
        <span className="what">{isRefused ? code : count(received ?? 0, "event")}</span>
        <time dateTime={request.receivedAt} title={exactly(at)}>
          {moment(at, Date.now())}
        </time>
      </div>
      {isRefused && reason !== null && <p className="reason">{reason}</p>}
      <p className="counts">
        {!isRefused && (received ?? 0) > 0 && `${appended ?? 0} new, ${duplicates ?? 0} known already · `}
        {bytes(request.bytes)} · {durationMs < 10 ? durationMs.toFixed(1) : Math.round(durationMs)} ms
      </p>
    </li>
  );
}
