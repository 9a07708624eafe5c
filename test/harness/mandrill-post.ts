import { createHmac } from "node:crypto";
import type { EventType } from "../../src/event/event-type.ts";

/** Mandrill's side of the webhook: raw events of every kind as it writes them, signed forms, and posts. */

/** A webhook as Mandrill knows it: the URL as it was typed, and its key. */
export interface SavedWebhook {
  readonly url: string;
  readonly key: string;
}

/** What is posted. */
export interface Post {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What the service answered. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: whatever JSON was answered is for the test to judge
  readonly body: any;
}

/** One element of `mandrill_events`. */
export type RawEvent = Record<string, unknown>;

/** JSON as PHP's json_encode writes it: slashes escaped, nothing but ASCII. */
function phpJson(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll("/", "\\/")
    .replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** A form of these parameters, with the signature that Mandrill would send along. */
export function signedParameters(parameters: Readonly<Record<string, string>>, { url, key }: SavedWebhook): Post {
  const signed =
    url +
    Object.keys(parameters)
      .sort()
      .map((name) => name + parameters[name])
      .join("");
  const signature = createHmac("sha1", key).update(signed).digest("base64");
  const { body, headers } = formOf(parameters);
  return { body, headers: { ...headers, "x-mandrill-signature": signature } };
}

/** A batch of these events as Mandrill signs and sends it. */
export function signedForm(events: unknown, webhook: SavedWebhook): Post {
  return signedParameters({ mandrill_events: phpJson(events) }, webhook);
}

/** A batch in a form that nobody signed. */
export function unsignedForm(events: unknown): Post {
  return formOf({ mandrill_events: phpJson(events) });
}

/** A batch as one writes it by hand. */
export function jsonBatch(events: unknown): Post {
  return { body: JSON.stringify(events), headers: { "content-type": "application/json" } };
}

function formOf(parameters: Readonly<Record<string, string>>): Post {
  return {
    body: new URLSearchParams(parameters).toString(),
    headers: { "content-type": "application/x-www-form-urlencoded", "user-agent": "Mandrill-Webhook/1.0" },
  };
}

/** Posts to the webhook endpoint of the service at `serviceUrl`. */
export async function post(serviceUrl: string, { body, headers }: Post): Promise<Answer> {
  const response = await fetch(`${serviceUrl}/mandrill`, { method: "POST", body, headers });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

const MESSAGE_STATES: Readonly<Partial<Record<EventType, string>>> = {
  deferral: "deferred",
  hard_bounce: "bounced",
  soft_bounce: "soft-bounced",
  spam: "spam",
  unsub: "unsub",
  reject: "rejected",
};

/**
 * A raw event as Mandrill sends it: realistic in form and size, equal for equal arguments, and different for another
 * `seed`. `other` is a kind that no version knows. `overrides` replace fields, those of `msg` one by one.
 */
export function rawEvent(type: EventType, overrides: RawEvent = {}, seed = 1): RawEvent {
  const random = randomFrom(seed);
  const event = eventOf(type, random);
  const msg = { ...(event.msg as RawEvent | undefined), ...(overrides.msg as RawEvent | undefined) };
  return { ...event, ...overrides, ...(event.msg === undefined && overrides.msg === undefined ? {} : { msg }) };
}

const MIX = (
  "send open open open click delivered send open click deferral send open hard_bounce " +
  "open click soft_bounce send open reject unsub spam open blacklist click whitelist open"
).split(" ");

/** `count` raw events in the mix that an account sees: mostly opens and clicks. */
export function rawEvents(count: number, seed = 1): RawEvent[] {
  return Array.from({ length: count }, (_, i) => rawEvent(MIX[i % MIX.length] as EventType, {}, seed * 100_003 + i));
}

function eventOf(type: EventType, random: Random): RawEvent {
  const ts = 1_760_000_000 + random.below(2_000_000);
  switch (type) {
    case "blacklist":
      return { type, action: random.oneOf(["add", "change", "remove"]), reject: listEntry(random), ts };
    case "whitelist":
      return { type, action: random.oneOf(["add", "remove"]), entry: listEntry(random), ts };
    case "inbound":
      return { event: type, ts, msg: inboundMessage(random) };
    default: {
      const msg = message(type, ts, random);
      const name = type === "other" ? "sms_sent" : type;
      return {
        event: name,
        _id: msg._id,
        msg,
        ts,
        ...(type === "open" || type === "click" ? engagement(type, random) : {}),
      };
    }
  }
}

function message(type: EventType, ts: number, random: Random): RawEvent {
  const engaged = type === "open" || type === "click";
  const msg: RawEvent = {
    ts: ts - 60,
    _id: random.hex(32),
    state: MESSAGE_STATES[type] ?? "sent",
    subject: `Your order ${random.below(100_000)} is on its way`,
    email: `customer-${random.below(100_000)}@example.com`,
    sender: "orders@example.com",
    tags: ["order-shipped", `store-${random.below(20)}`],
    opens: engaged ? [{ ts, ip: "192.0.2.7", location: "Oklahoma, US", ua: "Linux/Ubuntu/Chrome" }] : [],
    clicks:
      type === "click" ? [{ ts, url: "https://shop.example.com/orders", ip: "192.0.2.7", ua: "Linux/Chrome" }] : [],
    smtp_events: [],
    resends: [],
    metadata: { order_id: random.below(1_000_000), customer: { plan: "pro", region: "EU" } },
    subaccount: random.oneOf(["store-eu", "store-us", null]),
    template: "order-shipped",
    _version: random.hex(22),
  };
  if (type === "hard_bounce" || type === "soft_bounce") {
    msg.bounce_description = type === "hard_bounce" ? "bad_mailbox" : "mailbox_full";
    msg.bgtools_code = type === "hard_bounce" ? 10 : 22;
    msg.diag = "smtp;550 5.1.1 The email account that you tried to reach does not exist.";
  }
  if (type === "deferral") {
    const diag = "451 4.3.5 Temporarily unavailable, try again later.";
    msg.smtp_events = [{ ts, type: "deferred", diag, source_ip: "127.0.0.1", destination_ip: "127.0.0.1", size: 0 }];
  }
  if (type === "reject") msg.reject = { reason: "hard-bounce", last_event_at: "2025-02-01 12:43:56" };
  return msg;
}

function engagement(type: "open" | "click", random: Random): RawEvent {
  return {
    ip: `192.0.2.${random.below(256)}`,
    location: {
      country_short: "US",
      country: "United States",
      region: "Oklahoma",
      city: "Oklahoma City",
      latitude: 35.4675598145,
      longitude: -97.5164337158,
      postal_code: "73101",
      timezone: "-05:00",
    },
    user_agent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Safari/537.36",
    user_agent_parsed: {
      type: "Browser",
      ua_family: "Chrome",
      ua_name: "Chrome 128.0.0.0",
      ua_version: "128.0.0.0",
      ua_url: "http://www.google.com/chrome",
      os_family: "Linux",
      os_name: "Linux",
      mobile: random.below(2) === 1,
    },
    ...(type === "click" ? { url: `https://shop.example.com/orders/${random.below(100_000)}` } : {}),
  };
}

function listEntry(random: Random): RawEvent {
  return {
    reason: "hard-bounce",
    email: `customer-${random.below(100_000)}@example.com`,
    detail: "550 mailbox not found",
    last_event_at: "2025-02-01 12:43:56",
    created_at: "2025-01-15 11:32:19",
    expires_at: "2025-04-02 12:09:18",
    expired: false,
    subaccount: "store-eu",
    sender: "orders@example.com",
  };
}

function inboundMessage(random: Random): RawEvent {
  const content = random.hex(2_000);
  return {
    raw_msg: `From: Ada <ada@example.com>\nSubject: Question ${random.below(1_000)}\n\nHello`,
    headers: { From: "Ada <ada@example.com>", Received: ["by mx1.example.com", "by mx2.example.com"] },
    text: "Hello\n",
    html: "<p>Hello</p>",
    from_email: "ada@example.com",
    from_name: "Ada",
    to: [
      ["help@inbound.example.com", "Help"],
      ["second@inbound.example.com", null],
    ],
    email: "help@inbound.example.com",
    subject: `Question ${random.below(1_000)}`,
    tags: [],
    sender: null,
    template: null,
    attachments: {
      "order.pdf": {
        name: "order.pdf",
        type: "application/pdf",
        content: Buffer.from(content).toString("base64"),
        base64: true,
      },
    },
    spam_report: { score: 1.7, matched_rules: [{ name: "HTML_MESSAGE", score: 0, description: "HTML in message" }] },
    dkim: { signed: true, valid: true },
    spf: { result: "pass", detail: "sender SPF authorized" },
  };
}

interface Random {
  /** 0 to `limit - 1`. */
  below(limit: number): number;
  hex(length: number): string;
  oneOf<T>(choices: readonly T[]): T;
}

/** The same numbers for the same seed (Marsaglia's xorshift32). */
function randomFrom(seed: number): Random {
  let state = Math.imul(seed, 0x9e3779b1) | 1;
  const below = (limit: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
  return {
    below,
    hex: (length) => Array.from({ length }, () => below(16).toString(16)).join(""),
    oneOf: <T>(choices: readonly T[]) => choices[below(choices.length)] as T,
  };
}
