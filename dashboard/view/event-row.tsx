import { memo } from "react";
import type { EventRowFragment } from "../generated/graphql.ts";
import { TYPE_NAMES } from "../state/event-types.ts";
import { exactly, moment, span } from "./words.ts";

/** What comes later than this is said to be late. Milliseconds. */
const LATE = 5 * 60_000;

interface EventRowProps {
  readonly id: string;
  readonly row: EventRowFragment;
  /** Pixels from the list's top. */
  readonly top: number;
  /** From 1. */
  readonly place: number;
  /** How many there are; -1 where that is not known. */
  readonly places: number;
  readonly isActive: boolean;
  readonly isPicked: boolean;
  /** A pointer has gone down on it, so many pixels from the window's top. */
  readonly onPress: (row: EventRowFragment, y: number) => void;
  readonly onPick: (row: EventRowFragment) => void;
}

export const EventRow = memo(function EventRow(props: EventRowProps) {
  const { id, row, top, place, places, isActive, isPicked, onPress, onPick } = props;
  const receivedAt = Date.parse(row.receivedAt);
  const delay = row.occurredAt === null ? 0 : receivedAt - Date.parse(row.occurredAt);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the list box, which has the focus, has the keys
    // biome-ignore lint/a11y/useFocusableInteractive: a row may go at any time, and would take the focus with it
    <div
      id={id}
      className="row"
      role="option"
      aria-selected={isPicked}
      aria-posinset={place}
      aria-setsize={places}
      data-active={isActive || undefined}
      data-type={row.type}
      style={{ transform: `translateY(${top}px)` }}
      onPointerDown={({ clientY }) => onPress(row, clientY)}
      onClick={() => onPick(row)}
    >
      <span className="type">
        <span className="dot" aria-hidden="true" />
        {row.type === "other" ? (row.name ?? "other") : TYPE_NAMES[row.type]}
      </span>
      <span className="email" title={row.email ?? undefined}>
        {row.email ?? "–"}
      </span>
      <span className="about">
        <span className="subject">{subjectOf(row)}</span>
        <span className="kind">{kindOf(row)}</span>
        <span className="tags">
          {row.message?.tags.map((tag) => (
            <span key={tag} className="tag">
              {tag}
            </span>
          ))}
        </span>
        {delay > LATE && <span className="late">{span(delay)} late</span>}
      </span>
      <time dateTime={row.receivedAt} title={exactly(receivedAt)}>
        {moment(receivedAt, Date.now())}
      </time>
    </div>
  );
});

function subjectOf(row: EventRowFragment): string {
  return row.message?.subject ?? ("subject" in row ? (row.subject ?? "") : "");
}

/** What only this kind of event tells. */
function kindOf(row: EventRowFragment): string {
  if ("url" in row) return row.url ?? "";
  if ("description" in row) return row.description?.replaceAll("_", " ") ?? "";
  if ("reason" in row) return row.reason ?? "";
  if ("action" in row) return row.action ?? "";
  if ("from" in row) return row.from === null ? "" : `from ${row.from}`;
  return "";
}
