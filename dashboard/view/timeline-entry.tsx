import { useState } from "react";
import { RawEventDocument, type TimelineEventFragment } from "../generated/graphql.ts";
import { TYPE_NAMES } from "../state/event-types.ts";
import { usePage } from "../state/page-state.ts";
import { exactly, late, moment, span } from "./words.ts";

/** What was reported later than this is said to be late. Milliseconds. */
const LATE = 60_000;

interface TimelineEntryProps {
  readonly event: TimelineEventFragment;
  /** The message's first event: times are told from there. */
  readonly first: TimelineEventFragment;
}

/** One event in a message's life. */
export function TimelineEntry({ event, first }: TimelineEntryProps) {
  const at = momentOf(event);
  const after = at - momentOf(first);
  return (
    <li data-type={event.type}>
      <span className="dot" aria-hidden="true" />
      <div className="headline">
        <strong>{event.type === "other" ? (event.name ?? "other") : TYPE_NAMES[event.type]}</strong>
        {event !== first && after >= 0 && (
          <span className="after">{after < 1_000 ? "same second" : `+${span(after)}`}</span>
        )}
        <time dateTime={new Date(at).toISOString()} title={exactly(at)}>
          {moment(at, Date.now())}
        </time>
      </div>
      <dl>
        {factsOf(event).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <Raw id={event.id} />
    </li>
  );
}

function momentOf({ occurredAt, receivedAt }: TimelineEventFragment): number {
  return Date.parse(occurredAt ?? receivedAt);
}

function factsOf(event: TimelineEventFragment): readonly (readonly [string, string])[] {
  const facts: [string, string | null | undefined][] = [];
  if ("url" in event) facts.push(["Link", event.url]);
  if ("client" in event) {
    const { client, location, ip } = event;
    facts.push(["With", [client?.name, client?.os].filter(Boolean).join(" on ")]);
    facts.push(["In", [location?.city, location?.country].filter(Boolean).join(", ") || ip]);
  }
  if ("deferralDiag" in event) facts.push(["Because", event.deferralDiag]);
  if ("deliveryDiag" in event) facts.push(["Answer", event.deliveryDiag]);
  if ("bounceDiag" in event) {
    facts.push(["Because", event.description?.replaceAll("_", " ")], ["Answer", event.bounceDiag]);
  }
  if ("rejectReason" in event) facts.push(["Because", event.rejectReason]);
  if ("action" in event) {
    facts.push(["Entry", event.action], ["Because", event.listReason], ["Detail", event.detail]);
  }
  if ("from" in event) {
    facts.push(["From", event.from], ["To", event.to.join(", ")], ["Subject", event.subject]);
    facts.push(["Attached", event.attachments.map(({ name, type }) => name ?? type ?? "a file").join(", ")]);
  }
  if (event.messageState !== null && event.messageState !== "sent") facts.push(["State", event.messageState]);
  facts.push(["Webhook", event.webhook]);
  const delay = event.occurredAt === null ? 0 : Date.parse(event.receivedAt) - Date.parse(event.occurredAt);
  if (delay > LATE) facts.push(["Reported", late(delay)]);
  return facts.flatMap(([name, value]) => (value ? [[name, value] as const] : []));
}

/** The event as Mandrill sent it, fetched when somebody opens it. */
function Raw({ id }: { readonly id: string }) {
  const { client } = usePage();
  const [text, setText] = useState<string>();
  const load = async (): Promise<void> => {
    const { data } = await client.graphql.query(RawEventDocument, { id }).toPromise();
    const raw = data?.event?.raw;
    setText(raw == null ? "It is not to be had." : JSON.stringify(raw, null, 2));
  };
  return (
    <details
      onToggle={({ currentTarget }) => {
        if (currentTarget.open && text === undefined) void load();
      }}
    >
      <summary>As Mandrill sent it</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
      <pre tabIndex={0}>{text ?? "Loading…"}</pre>
    </details>
  );
}
