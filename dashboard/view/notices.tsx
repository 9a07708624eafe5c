import { useCell } from "../state/cell.ts";
import type { Gap } from "../state/event-feed.ts";
import { usePage } from "../state/page-state.ts";
import { moment } from "./words.ts";

/** What somebody must not miss: a gap, and a webhook that is being refused. */
export function Notices() {
  const { feed, webhook } = usePage();
  const gap = useCell(feed.gap);
  const requests = useCell(webhook);
  const latest = Array.isArray(requests) ? requests[0] : undefined;
  return (
    <section className="notices" aria-label="Notices" aria-live="polite">
      {gap !== null && (
        <div className="notice warning">
          <p>
            <strong>Events may be missing from what you saw.</strong> {GAPS[gap.code]} Noticed at{" "}
            {moment(gap.at, Date.now())}.
          </p>
          <button type="button" className="plain" onClick={() => feed.gap.set(null)}>
            Understood
          </button>
        </div>
      )}
      {latest !== undefined && latest.status >= 400 && (
        <div className="notice bad">
          <p>
            <strong>
              The webhook’s latest request was refused: {latest.status} {latest.code}.
            </strong>{" "}
            {latest.reason} {REMEDIES[latest.code ?? ""]}
          </p>
          <a href="#webhook">All requests</a>
        </div>
      )}
    </section>
  );
}

const GAPS: Readonly<Record<Gap["code"], string>> = {
  CURSOR_EXPIRED:
    "While the connection was lost, more events came than the log keeps. The list was loaded anew and shows all that the log still holds.",
  CURSOR_UNKNOWN:
    "The event log was emptied, or restored from a backup. The list was loaded anew from what the log holds now.",
};

/** What a signature that fails does not say by itself. */
const REMEDIES: Readonly<Record<string, string>> = {
  SIGNATURE_MISSING:
    "Mandrill signs whatever it posts: this came from somebody else, or a proxy has dropped the header.",
  SIGNATURE_MISMATCH:
    "Compare MANDRILL_WEBHOOK_URLS, letter by letter, with the address typed into Mandrill, and MANDRILL_WEBHOOK_KEYS with the keys shown there.",
};
