/** The URL and key under which posts are signed: any will do, as long as both sides have the same. */
export const WEBHOOK_URL = "https://mail.example.com/mandrill";
export const WEBHOOK_KEY = "bench-webhook-key";

/** Decimal digits of an event's number, which end its message id: every event's body and frame has one length. */
export const NUMBER_DIGITS = 10;
/** Decimal digits of a recipient's number. */
export const RECIPIENT_DIGITS = 7;
/** Characters of what a message id begins with: with the number they are 32, as Mandrill's. */
export const PREFIX_LENGTH = 32 - NUMBER_DIGITS;

export const RECIPIENT_PREFIX = "user-";

/** The address of a recipient by number. */
export function recipientAddress(recipient: number): string {
  return `${RECIPIENT_PREFIX}${String(recipient).padStart(RECIPIENT_DIGITS, "0")}@example.com`;
}

/**
 * A click as Mandrill posts it, 1.2 kB as PHP writes JSON, with number 0 and recipient 0: `_id` and `msg._id` end
 * with the number. `prefix` makes the message ids of one run its own.
 */
export function sampleEventText(prefix: string): string {
  const id = prefix + "0".repeat(NUMBER_DIGITS);
  const url = "https://shop.example.com/orders/track?utm_source=mail&utm_campaign=shipped";
  const ip = "192.0.2.7";
  const agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36";
  const location = "Oklahoma City, OK, US";
  const event = {
    event: "click",
    ts: 1_795_467_660,
    _id: id,
    ip,
    user_agent: agent,
    url,
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
    user_agent_parsed: {
      type: "Browser",
      ua_family: "Chrome",
      ua_name: "Chrome 126.0",
      ua_version: "126.0",
      os_family: "Linux",
      os_name: "Linux",
      mobile: false,
    },
    msg: {
      ts: 1_795_467_600,
      _id: id,
      state: "sent",
      subject: "Your order has shipped",
      email: recipientAddress(0),
      sender: "shop@example.com",
      tags: ["order", "shipped"],
      template: "order-shipped",
      subaccount: "shop",
      metadata: { order_id: "20261123-1" },
      opens: [{ ts: 1_795_467_630, ip, location, ua: "Linux/Chrome 126.0" }],
      clicks: [{ ts: 1_795_467_660, ip, location, ua: "Linux/Chrome 126.0", url }],
      smtp_events: [],
      resends: [],
      reject: null,
    },
  };
  return JSON.stringify(event).replaceAll("/", "\\/");
}

/** What every subscriber asks for where the question does not say otherwise: some 300 bytes a result. */
export const SELECTION = "id type email occurredAt messageId messageState message { subject sender tags template }";
