import type { Event, EventBase, Message } from "../../src/event/event.ts";
import type { EventType } from "../../src/event/event-type.ts";

/** What a sample is to differ in. An event without any of it is a `send` to one recipient. */
export interface SampleFields {
  readonly id?: string | undefined;
  readonly type?: EventType | undefined;
  readonly email?: string | null | undefined;
  readonly messageId?: string | null | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly subaccount?: string | null | undefined;
  /** Bytes that the stored form is to have at the least. */
  readonly bytes?: number | undefined;
  readonly raw?: EventBase["raw"] | undefined;
}

/** An event for tests of what does not read Mandrill's form: complete, and equal for equal `id` and fields. */
export function sampleEvent(fields: SampleFields = {}): Event {
  const { id = "sample", type = "send", subaccount = null, tags = [], bytes = 0 } = fields;
  const email = fields.email === undefined ? "ada@example.com" : fields.email;
  const messageId = fields.messageId === undefined ? `message-${id}` : fields.messageId;
  const message: Message = {
    email,
    sender: "shop@example.com",
    subject: "Your order",
    sentAt: 1_700_000_000_000,
    tags,
    metadata: {},
    subaccount,
    template: null,
  };
  const base = {
    id,
    name: type,
    occurredAt: 1_700_000_001_000,
    messageId,
    messageState: "sent",
    email,
    subaccount,
    message,
    webhook: null,
    raw: fields.raw ?? { event: type, padding: "x".repeat(bytes) },
  };
  const engagement = { ip: "192.0.2.7", userAgent: "Mozilla/5.0", location: null, client: null };
  switch (type) {
    case "open":
      return { ...base, type, ...engagement };
    case "click":
      return { ...base, type, ...engagement, url: "https://example.com/" };
    case "hard_bounce":
    case "soft_bounce":
      return { ...base, type, diag: null, description: null, code: null };
    case "deferral":
    case "delivered":
      return { ...base, type, diag: null };
    case "reject":
      return { ...base, type, reason: null };
    case "blacklist":
    case "whitelist":
      return { ...base, type, message: null, action: null, reason: null, detail: null, expiresAt: null };
    case "inbound":
      return {
        ...base,
        type,
        message: null,
        from: null,
        to: [],
        subject: null,
        text: null,
        html: null,
        attachments: [],
      };
    default:
      return { ...base, type };
  }
}

/** `count` events with the ids `<prefix>-1` and on; `fieldsOf` says what the i-th (from 0) differs in. */
export function sampleEvents(
  count: number,
  prefix = "event",
  fieldsOf: (i: number) => SampleFields = () => ({}),
): Event[] {
  return Array.from({ length: count }, (_, i) => sampleEvent({ id: `${prefix}-${i + 1}`, ...fieldsOf(i) }));
}
