import { useLayoutEffect, useRef, useSyncExternalStore } from "react";
import type { TimelineEventFragment } from "../generated/graphql.ts";
import { useCell } from "../state/cell.ts";
import { usePage } from "../state/page-state.ts";
import type { Picked } from "../state/view-link.ts";
import { TimelineEntry } from "./timeline-entry.tsx";

/** As in page.css: with less room the panel lies over the list instead of beside it. */
const ONE_COLUMN = matchMedia("(max-width: 960px)");

/** All that is known of the picked message, oldest first, and what comes while somebody looks. */
export function TimelinePanel({ picked }: { readonly picked: NonNullable<Picked> }) {
  const { timeline, link } = usePage();
  const state = useCell(timeline.state);
  const dialog = useRef<HTMLDialogElement>(null);
  const isOver = useSyncExternalStore(onWidth, () => ONE_COLUMN.matches);
  // Ended while the dialog is still in the document: only then does it give the focus back.
  useLayoutEffect(() => {
    const { current } = dialog;
    if (current === null) return;
    const before = document.activeElement;
    // Beside the list it leaves the focus there, so that the arrow keys go on from row to row.
    if (isOver) current.showModal();
    else current.setAttribute("open", "");
    return () => {
      if (isOver) current.close();
      else {
        if (before instanceof HTMLElement && current.contains(document.activeElement)) before.focus();
        current.removeAttribute("open");
      }
    };
  }, [isOver]);
  const close = (): void => link.pick(null);
  const events = state.kind === "ready" ? state.events : [];
  return (
    <dialog
      ref={dialog}
      className="timeline card"
      aria-labelledby="timeline-title"
      onCancel={(event) => {
        event.preventDefault();
        close();
      }}
      onKeyDown={(event) => {
        if (event.key === "Escape" && !isOver) close();
      }}
    >
      <div className="toolbar">
        <h2 id="timeline-title">{picked.kind === "message" ? "Message" : "Event"}</h2>
        <button type="button" onClick={close}>
          Close
        </button>
      </div>
      <div aria-live="polite" aria-busy={state.kind === "loading"}>
        {state.kind === "loading" && <p className="empty">Loading…</p>}
        {state.kind === "failed" && <p className="notice bad">{state.reason}</p>}
        {state.kind === "ready" && events.length === 0 && (
          <p className="empty">The log holds nothing of it any more, or you may not see it.</p>
        )}
        {events.length > 0 && <Heading events={events} picked={picked} />}
        <ol className="life">
          {events.map((event) => (
            <TimelineEntry key={event.id} event={event} first={events[0] ?? event} />
          ))}
        </ol>
        {state.kind === "ready" && !state.isWhole && <p className="empty">It has more events than are shown here.</p>}
      </div>
    </dialog>
  );
}

interface HeadingProps {
  readonly events: readonly TimelineEventFragment[];
  readonly picked: NonNullable<Picked>;
}

/** What all of the events share: the message. */
function Heading({ events, picked }: HeadingProps) {
  const { link } = usePage();
  const message = events.findLast((event) => event.message !== null)?.message;
  const email = events[0]?.email;
  const rows: readonly (readonly [string, string | null | undefined])[] = [
    ["From", message?.sender],
    ["Template", message?.template],
    ["Subaccount", message?.subaccount],
    ["Id", picked.id],
  ];
  return (
    <div className="message">
      {message?.subject && <p className="subject">{message.subject}</p>}
      <dl>
        {email && (
          <div>
            <dt>To</dt>
            <dd>
              <button
                type="button"
                className="link"
                title="List this recipient’s events only"
                onClick={() => link.filter({ email, tag: "", types: [] })}
              >
                {email}
              </button>
            </dd>
          </div>
        )}
        {rows.map(([name, value]) =>
          value ? (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ) : null,
        )}
        {message !== null && message !== undefined && message.tags.length > 0 && (
          <div>
            <dt>Tags</dt>
            <dd className="tags">
              {message.tags.map((tag) => (
                <button
                  key={tag}
                  type="button"
                  className="tag"
                  title="List events with this tag only"
                  onClick={() => link.filter({ tag })}
                >
                  {tag}
                </button>
              ))}
            </dd>
          </div>
        )}
      </dl>
    </div>
  );
}

function onWidth(listener: () => void): () => void {
  ONE_COLUMN.addEventListener("change", listener);
  return () => ONE_COLUMN.removeEventListener("change", listener);
}
