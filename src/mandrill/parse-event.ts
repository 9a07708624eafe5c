import type { Event, EventBase, Json, Location, Message, UserAgent } from "../event/event.ts";
import { EVENT_TYPES, type EventType } from "../event/event-type.ts";
import { boolean, type Field, type Fields, fields, float, int, list, moment, NO_FIELDS, term, text } from "./field.ts";
import { attachments, mailbox, mailboxes } from "./inbound-mail.ts";

/** The kinds by every name that Mandrill has for them; its documentation says denylist and allowlist. */
const TYPES: ReadonlyMap<string | null, EventType> = new Map<string | null, EventType>([
  ...EVENT_TYPES.filter((type) => type !== "other").map((type) => [type, type] as const),
  ["denylist", "blacklist"],
  ["allowlist", "whitelist"],
]);

/** Tags of one event that it is found by; Mandrill keeps 100 an account. An index entry each: a million is an attack. */
const MAX_TAGS = 100;

/**
 * What one element of `mandrill_events` says. Never throws: a kind that is unknown or missing, or an element that is
 * no object, is `other`; an event of a known kind keeps it, and a field of it that is missing or mistyped is null.
 * What no field has room for is in `raw`, which is the element itself.
 *
 * @param id the event's id (`eventIds`)
 * @param webhook label of the webhook by which it came; null where that is not known
 * @param rawText what `raw` was read from
 */
export function parseEvent(raw: Json, id: string, webhook: string | null, rawText?: string): Event {
  const element = fields(raw) ?? NO_FIELDS;
  // Message and inbound events are named by `event`, sync events by `type`.
  const name = text(element.event) ?? text(element.type);
  const type = TYPES.get(name) ?? "other";
  const msg = fields(element.msg);
  const source: Source = { raw, rawText, id, webhook, name, element, msg: msg ?? NO_FIELDS };
  switch (type) {
    case "blacklist":
    case "whitelist": {
      const entry = fields(element.reject) ?? fields(element.entry) ?? NO_FIELDS;
      return {
        ...base(type, source, entry, null),
        action: text(element.action),
        reason: text(entry.reason),
        detail: text(entry.detail),
        expiresAt: moment(entry.expires_at),
      };
    }
    case "inbound":
      return {
        ...base(type, source, source.msg, null),
        from: mailbox(source.msg.from_email, source.msg.from_name),
        to: mailboxes(source.msg.to),
        subject: text(source.msg.subject),
        text: text(source.msg.text),
        html: text(source.msg.html),
        attachments: attachments(source.msg.attachments),
      };
    default:
      return messageEvent(type, source, base(type, source, source.msg, msg === null ? null : message(msg)));
  }
}

/** What an event is read from. */
interface Source {
  readonly raw: Json;
  readonly rawText: string | undefined;
  readonly id: string;
  readonly webhook: string | null;
  readonly name: string | null;
  readonly element: Fields;
  readonly msg: Fields;
}

/** What every event has; `about` holds the address and the subaccount: `msg`, or the list entry of a sync event. */
function base<T extends EventType>(
  type: T,
  { raw, rawText, id, webhook, name, element, msg }: Source,
  about: Fields,
  message: Message | null,
): EventBase & { readonly type: T } {
  return {
    id,
    type,
    name,
    occurredAt: moment(element.ts),
    messageId: term(msg._id) ?? term(element._id),
    messageState: text(msg.state),
    email: term(about.email),
    subaccount: term(about.subaccount),
    message,
    webhook,
    raw,
    rawText,
  };
}

type MessageEventType = Exclude<EventType, "blacklist" | "whitelist" | "inbound">;

function messageEvent(type: MessageEventType, { element, msg }: Source, common: EventBase): Event {
  switch (type) {
    case "open":
    case "click": {
      const engagement = {
        ...common,
        ip: text(element.ip),
        userAgent: text(element.user_agent),
        location: location(element.location),
        client: userAgent(element.user_agent_parsed),
      };
      return type === "open" ? { ...engagement, type } : { ...engagement, type, url: text(element.url) };
    }
    case "deferral":
    case "delivered":
      return { ...common, type, diag: diag(element, msg) };
    case "hard_bounce":
    case "soft_bounce":
      return {
        ...common,
        type,
        diag: diag(element, msg),
        description: text(msg.bounce_description),
        code: int(msg.bgtools_code),
      };
    case "reject":
      return { ...common, type, reason: text(msg.reject) ?? text(fields(msg.reject)?.reason) };
    default:
      return { ...common, type };
  }
}

function message(msg: Fields): Message {
  return {
    email: term(msg.email),
    sender: text(msg.sender),
    subject: text(msg.subject),
    sentAt: moment(msg.ts),
    tags: tags(msg.tags),
    metadata: metadata(msg.metadata),
    subaccount: term(msg.subaccount),
    template: text(msg.template),
  };
}

/** Each once, since events are found by them. */
function tags(value: Field): readonly string[] {
  const found = new Set<string>();
  for (const member of list(value)) {
    const tag = term(member);
    if (tag !== null) found.add(tag);
    if (found.size === MAX_TAGS) break;
  }
  return [...found];
}

/** An object; or a list, as which PHP writes an object whose keys are 0, 1, 2, … */
function metadata(value: Field): Json {
  return Array.isArray(value) && value.length > 0 ? (value as Json) : ((fields(value) ?? NO_FIELDS) as Json);
}

/** The other server's answer: the bounce's or the delivery's own, else that of the last attempt. */
function diag(element: Fields, msg: Fields): string | null {
  const own = text(msg.diag) ?? text(element.diag);
  return own ?? text(fields(list(msg.smtp_events).at(-1))?.diag);
}

/** What Mandrill writes into fields of a location that it could not find, those of numbers too. */
const NOWHERE = "INVALID IP ADDRESS";

function place(value: Field): string | null {
  return value === NOWHERE ? null : text(value);
}

function location(value: Field): Location | null {
  const found = fields(value);
  return found === null
    ? null
    : {
        country: place(found.country),
        countryCode: place(found.country_short),
        region: place(found.region),
        city: place(found.city),
        postalCode: place(found.postal_code),
        latitude: float(found.latitude),
        longitude: float(found.longitude),
        timezone: place(found.timezone),
      };
}

function userAgent(value: Field): UserAgent | null {
  const found = fields(value);
  return found === null
    ? null
    : {
        type: text(found.type),
        family: text(found.ua_family),
        name: text(found.ua_name),
        version: text(found.ua_version),
        os: text(found.os_name) ?? text(found.os_family),
        mobile: boolean(found.mobile),
      };
}
