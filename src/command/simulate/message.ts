import type { SimulatedType } from "./life-plan.ts";
import type { Random } from "./random.ts";
import { MAILINGS, type Mailing, PLACES, type Place, READERS, type Reader, recipientAddress } from "./sample-world.ts";

/** One element of `mandrill_events`. */
export type RawEvent = Readonly<Record<string, unknown>>;

type Fields = Record<string, unknown>;

/** What `msg.state` says from an event of this kind on. */
const STATES: Readonly<Partial<Record<SimulatedType, string>>> = {
  send: "sent",
  deferral: "deferred",
  delivered: "sent",
  hard_bounce: "bounced",
  soft_bounce: "soft-bounced",
  reject: "rejected",
  spam: "spam",
  unsub: "unsub",
};

/** Diagnoses as other servers word them, by the kind of event: what they said, Mandrill's word and code for it. */
const BOUNCES = {
  hard_bounce: { diag: "smtp;550 5.1.1 The email account does not exist.", word: "bad_mailbox", code: 10 },
  soft_bounce: { diag: "smtp;452 4.2.2 The mailbox is full.", word: "mailbox_full", code: 22 },
} as const;
const DEFERRED = "451 4.3.5 Temporarily unavailable, try again later.";
const DELIVERED = "250 2.0.0 OK: queued";

/** A message that Mandrill was asked to send, and what is known of it so far. Times are in seconds. */
export class Message {
  readonly #random: Random;
  readonly #id: string;
  readonly #mailing: Mailing;
  readonly #recipient: string;
  readonly #place: Place;
  readonly #ip: string;
  readonly #reader: Reader;
  readonly #metadata: unknown;
  readonly #opens: Fields[] = [];
  readonly #clicks: Fields[] = [];
  readonly #smtpEvents: Fields[] = [];
  #sentAt: number | null = null;
  #state = "sent";

  constructor(random: Random) {
    this.#random = random;
    this.#id = random.hex(32);
    this.#mailing = random.oneOf(MAILINGS);
    this.#recipient = recipientAddress(random);
    this.#place = random.oneOf(PLACES);
    this.#ip = `${this.#place.block}.${random.between(1, 254)}`;
    this.#reader = random.oneOf(READERS);
    // An empty object is an empty list in PHP's JSON.
    this.#metadata = random.chance(0.3)
      ? []
      : { order_id: random.below(1_000_000), plan: random.oneOf(["free", "pro"]) };
  }

  /** What Mandrill posts when this happens to the message at `ts`. */
  happens(type: SimulatedType, ts: number): RawEvent {
    this.#sentAt ??= ts;
    this.#state = STATES[type] ?? this.#state;
    switch (type) {
      case "blacklist":
        return { type, action: "add", reject: this.#listEntry("hard-bounce", ts), ts };
      case "whitelist":
        return { type, action: "add", entry: this.#listEntry("added by hand", ts), ts };
      case "inbound":
        return { event: type, ts, msg: this.#answer() };
      case "open":
        this.#opens.push(this.#sight(ts));
        return this.#engagement(type, ts, {});
      case "click": {
        const url = this.#random.oneOf(this.#mailing.links);
        this.#clicks.push({ ...this.#sight(ts), url });
        return this.#engagement(type, ts, { url });
      }
      case "delivered":
        this.#smtp("sent", DELIVERED, ts);
        return { ...this.#event(type, ts), diag: DELIVERED };
      case "deferral":
        this.#smtp("deferred", DEFERRED, ts);
        return this.#event(type, ts);
      case "hard_bounce":
      case "soft_bounce": {
        const { diag, word, code } = BOUNCES[type];
        return this.#event(type, ts, { diag, bounce_description: word, bgtools_code: code });
      }
      case "reject":
        return this.#event(type, ts, { reject: { reason: "hard-bounce", last_event_at: dateTime(ts - 86_400) } });
      default:
        return this.#event(type, ts);
    }
  }

  #event(type: SimulatedType, ts: number, more: Fields = {}): Fields {
    const { subject, sender, tags, subaccount, template } = this.#mailing;
    const msg = {
      ts: this.#sentAt,
      _id: this.#id,
      state: this.#state,
      subject,
      email: this.#recipient,
      sender,
      tags,
      opens: [...this.#opens],
      clicks: [...this.#clicks],
      smtp_events: [...this.#smtpEvents],
      resends: [],
      reject: null,
      metadata: this.#metadata,
      subaccount,
      template,
      _version: this.#random.hex(22),
      ...more,
    };
    return { event: type, _id: this.#id, msg, ts };
  }

  #engagement(type: "open" | "click", ts: number, more: Fields): Fields {
    const { countryCode, country, region, city, postalCode, latitude, longitude, timezone } = this.#place;
    const { header, type: kind, family, version, osFamily, osName, mobile } = this.#reader;
    return {
      ...this.#event(type, ts),
      ip: this.#ip,
      location: {
        country_short: countryCode,
        country,
        region,
        city,
        latitude,
        longitude,
        postal_code: postalCode,
        timezone,
      },
      user_agent: header,
      user_agent_parsed: {
        type: kind,
        ua_family: family,
        ua_name: version === null ? family : `${family} ${version}`,
        ua_version: version,
        os_family: osFamily,
        os_name: osName,
        mobile,
      },
      ...more,
    };
  }

  /** An open or a click as the message's own record has it. */
  #sight(ts: number): Fields {
    const { city, region, countryCode } = this.#place;
    const { osFamily, osName, family } = this.#reader;
    return { ts, ip: this.#ip, location: `${city}, ${region}, ${countryCode}`, ua: `${osFamily}/${osName}/${family}` };
  }

  #smtp(type: string, diag: string, ts: number): void {
    this.#smtpEvents.push({
      ts,
      type,
      diag,
      source_ip: `198.51.100.${this.#random.between(1, 254)}`,
      destination_ip: `203.0.113.${this.#random.between(1, 254)}`,
      size: this.#random.between(2_000, 60_000),
    });
  }

  #listEntry(reason: string, ts: number): Fields {
    return {
      reason,
      email: this.#recipient,
      // Sync events have no id: without the other server's, two about one recipient in one second would be the same.
      detail: `${reason === "hard-bounce" ? BOUNCES.hard_bounce.diag : "Asked for by telephone."} (${this.#id})`,
      last_event_at: dateTime(ts),
      created_at: dateTime(ts),
      expires_at: reason === "hard-bounce" ? dateTime(ts + 90 * 86_400) : null,
      expired: false,
      subaccount: this.#mailing.subaccount,
      sender: this.#mailing.sender,
    };
  }

  /** The recipient's answer, as an inbound route gets it. */
  #answer(): Fields {
    const name = this.#recipient.split(".")[0] as string;
    const subject = `Re: ${this.#mailing.subject}`;
    const text = "Thank you!\n";
    return {
      raw_msg: `From: ${this.#recipient}\nTo: help@inbound.example.com\nSubject: ${subject}\n\n${text}`,
      headers: {
        From: this.#recipient,
        To: "help@inbound.example.com",
        Subject: subject,
        "In-Reply-To": `<${this.#id}@mail.example.com>`,
      },
      text,
      html: "<p>Thank you!</p>",
      from_email: this.#recipient,
      from_name: `${name.charAt(0).toUpperCase()}${name.slice(1)}`,
      to: [["help@inbound.example.com", null]],
      email: "help@inbound.example.com",
      subject,
      tags: [],
      sender: null,
      template: null,
      attachments: {
        "note.txt": { name: "note.txt", type: "text/plain", content: "A note.\n", base64: false },
      },
      spam_report: { score: 0.4, matched_rules: [] },
      dkim: { signed: true, valid: true },
      spf: { result: "pass", detail: "sender SPF authorized" },
    };
  }
}

/** As Mandrill's lists write a time. */
function dateTime(ts: number): string {
  return new Date(ts * 1_000).toISOString().slice(0, 19).replace("T", " ");
}
