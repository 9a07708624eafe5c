import type { EventType } from "./event-type.ts";

/** Any JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** The e-mail that an event is about (`msg` of a message event). Times are milliseconds since the Unix epoch. */
export interface Message {
  readonly email: string | null;
  readonly sender: string | null;
  readonly subject: string | null;
  readonly sentAt: number | null;
  readonly tags: readonly string[];
  readonly metadata: Json;
  readonly subaccount: string | null;
  readonly template: string | null;
}

/** Where an open or a click came from, as Mandrill located its address. */
export interface Location {
  readonly country: string | null;
  readonly countryCode: string | null;
  readonly region: string | null;
  readonly city: string | null;
  readonly postalCode: string | null;
  readonly latitude: number | null;
  readonly longitude: number | null;
  readonly timezone: string | null;
}

/** The reader's program, as Mandrill parsed its User-Agent header. */
export interface UserAgent {
  readonly type: string | null;
  readonly family: string | null;
  readonly name: string | null;
  readonly version: string | null;
  readonly os: string | null;
  readonly mobile: boolean | null;
}

/** An attachment of an inbound message; its content stays in the event's `raw`. Size in bytes. */
export interface Attachment {
  readonly name: string | null;
  readonly type: string | null;
  readonly size: number | null;
}

/** What every event has. Times are milliseconds since the Unix epoch. */
export interface EventBase {
  /** Ours: the same for every redelivery, distinct for two equal events of one batch. */
  readonly id: string;
  readonly type: EventType;
  /** The kind as Mandrill spelled it. */
  readonly name: string | null;
  /** Mandrill's outer `ts`. */
  readonly occurredAt: number | null;
  /** `msg._id`, else the outer `_id`. */
  readonly messageId: string | null;
  /** `msg.state` at the time of this event. */
  readonly messageState: string | null;
  /** Whom the event is about: the recipient, or the sync or inbound address. As Mandrill spelled it. */
  readonly email: string | null;
  /** The message's subaccount, or that of the list entry which a sync event tells of. */
  readonly subaccount: string | null;
  /** null for sync and inbound events, and where Mandrill sent an empty `msg`. */
  readonly message: Message | null;
  /** Label of the webhook by which the event came. */
  readonly webhook: string | null;
  /** The element of `mandrill_events`, the same JSON value. */
  readonly raw: Json;
  /** The text of `raw` as it came, while that is at hand: a log may keep it in the place of `raw`. */
  readonly rawText?: string | undefined;
  /** W3C traceparent of the POST that brought it, where that was traced. */
  readonly traceParent?: string | undefined;
}

interface Engagement extends EventBase {
  readonly ip: string | null;
  readonly userAgent: string | null;
  readonly location: Location | null;
  readonly client: UserAgent | null;
}

export interface SendEvent extends EventBase {
  readonly type: "send";
}
export interface DeferralEvent extends EventBase {
  readonly type: "deferral";
  readonly diag: string | null;
}
export interface BounceEvent extends EventBase {
  readonly type: "hard_bounce" | "soft_bounce";
  readonly diag: string | null;
  readonly description: string | null;
  readonly code: number | null;
}
export interface DeliveredEvent extends EventBase {
  readonly type: "delivered";
  readonly diag: string | null;
}
export interface OpenEvent extends Engagement {
  readonly type: "open";
}
export interface ClickEvent extends Engagement {
  readonly type: "click";
  readonly url: string | null;
}
export interface SpamEvent extends EventBase {
  readonly type: "spam";
}
export interface UnsubEvent extends EventBase {
  readonly type: "unsub";
}
export interface RejectEvent extends EventBase {
  readonly type: "reject";
  readonly reason: string | null;
}
export interface SyncEvent extends EventBase {
  readonly type: "blacklist" | "whitelist";
  readonly action: string | null;
  readonly reason: string | null;
  readonly detail: string | null;
  readonly expiresAt: number | null;
}
export interface InboundEvent extends EventBase {
  readonly type: "inbound";
  readonly from: string | null;
  readonly to: readonly string[];
  readonly subject: string | null;
  readonly text: string | null;
  readonly html: string | null;
  readonly attachments: readonly Attachment[];
}
export interface OtherEvent extends EventBase {
  readonly type: "other";
}

/** One of Mandrill's events as this service keeps it: immutable, complete, every field parsed. */
export type Event =
  | SendEvent
  | DeferralEvent
  | BounceEvent
  | DeliveredEvent
  | OpenEvent
  | ClickEvent
  | SpamEvent
  | UnsubEvent
  | RejectEvent
  | SyncEvent
  | InboundEvent
  | OtherEvent;
