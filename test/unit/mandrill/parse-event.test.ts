import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ClickEvent, Event, InboundEvent, Json, OpenEvent } from "../../../src/event/event.ts";
import { EVENT_TYPES } from "../../../src/event/event-type.ts";
import { parseEvent } from "../../../src/mandrill/parse-event.ts";
import { RAW_EVENTS } from "../../../src/mandrill/raw-events.ts";
import { PAYLOADS, payload } from "../../harness/mandrill-fixtures.ts";
import { rawEvent } from "../../harness/mandrill-post.ts";

const ID = "0123456789abcdefABCDEF";
const parse = (raw: unknown): Event => parseEvent(raw as Json, ID, "https://example.com/mandrill");

describe("parseEvent", () => {
  it("reads every field of a message event", () => {
    const raw = rawEvent("send", {
      ts: 1760000060,
      _id: "outer",
      msg: {
        _id: "inner",
        ts: 1760000000,
        email: "Ada@example.com",
        metadata: { order: 7 },
        subaccount: "eu",
        tags: ["a"],
      },
    });
    expect(parse(raw)).toEqual({
      id: ID,
      type: "send",
      name: "send",
      occurredAt: 1760000060_000,
      messageId: "inner",
      messageState: "sent",
      email: "Ada@example.com",
      subaccount: "eu",
      message: {
        email: "Ada@example.com",
        sender: "orders@example.com",
        subject: (raw.msg as { subject: string }).subject,
        sentAt: 1760000000_000,
        tags: ["a"],
        metadata: { order: 7 },
        subaccount: "eu",
        template: "order-shipped",
      },
      webhook: "https://example.com/mandrill",
      raw,
    });
  });

  it("keeps the element itself as raw", () => {
    const raw = rawEvent("open");
    expect(parse(raw).raw).toBe(raw);
  });

  it("reads an open: where it was, and with which program", () => {
    const program = {
      type: "Browser",
      ua_family: "Chrome",
      ua_name: "Chrome 128",
      ua_version: null,
      os_name: "Linux",
      mobile: true,
    };
    expect(parse(rawEvent("open", { ip: "192.0.2.7", user_agent_parsed: program }))).toMatchObject({
      type: "open",
      ip: "192.0.2.7",
      userAgent: expect.stringContaining("Mozilla/5.0"),
      location: {
        country: "United States",
        countryCode: "US",
        region: "Oklahoma",
        city: "Oklahoma City",
        postalCode: "73101",
        latitude: 35.4675598145,
        longitude: -97.5164337158,
        timezone: "-05:00",
      },
      client: { type: "Browser", family: "Chrome", name: "Chrome 128", version: null, os: "Linux", mobile: true },
    } satisfies Partial<OpenEvent>);
  });

  it("reads the URL of a click, and of a click alone", () => {
    expect(parse(rawEvent("click", { url: "https://example.com/a" }))).toMatchObject({ url: "https://example.com/a" });
    expect(parse(rawEvent("open", { url: "https://example.com/a" }))).not.toHaveProperty("url");
  });

  it("reads why a message bounced", () => {
    const msg = { diag: "", bounce_description: "mailbox_full", bgtools_code: 22 };
    expect(parse(rawEvent("soft_bounce", { msg }))).toMatchObject({ diag: "", description: "mailbox_full", code: 22 });
  });

  it("reads the diagnosis of a deferral from its last attempt", () => {
    const attempts = [{ diag: "451 first" }, { diag: "451 last" }];
    expect(parse(rawEvent("deferral", { msg: { smtp_events: attempts } }))).toMatchObject({ diag: "451 last" });
    expect(parse(rawEvent("deferral", { msg: { smtp_events: [] } }))).toMatchObject({ diag: null });
  });

  it("reads the diagnosis of a delivery from the event itself", () => {
    expect(parse(rawEvent("delivered", { diag: "250 OK" }))).toMatchObject({ type: "delivered", diag: "250 OK" });
  });

  it("reads the reason of a rejection, as text and as an object", () => {
    expect(parse(rawEvent("reject", { msg: { reject: "spam" } }))).toMatchObject({ reason: "spam" });
    expect(parse(rawEvent("reject", { msg: { reject: { reason: "unsub" } } }))).toMatchObject({ reason: "unsub" });
    expect(parse(rawEvent("reject", { msg: { reject: null } }))).toMatchObject({ reason: null });
  });

  it.each([
    ["blacklist", "reject", "blacklist"],
    ["denylist", "reject", "blacklist"],
    ["whitelist", "entry", "whitelist"],
    ["allowlist", "entry", "whitelist"],
    ["allowlist", "reject", "whitelist"],
  ])("reads a sync event %s with its %s as a %s", (type, key, expected) => {
    const entry = {
      email: "a@example.com",
      reason: "custom",
      detail: "x",
      expires_at: "2020-04-02 12:09:18",
      subaccount: "eu",
    };
    expect(parse({ type, action: "add", [key]: entry, ts: 1438785792 })).toEqual({
      id: ID,
      type: expected,
      name: type,
      occurredAt: 1438785792_000,
      messageId: null,
      messageState: null,
      email: "a@example.com",
      subaccount: "eu",
      message: null,
      webhook: "https://example.com/mandrill",
      raw: { type, action: "add", [key]: entry, ts: 1438785792 },
      action: "add",
      reason: "custom",
      detail: "x",
      expiresAt: Date.UTC(2020, 3, 2, 12, 9, 18),
    });
  });

  it("goes by `type` where `event` names nothing", () => {
    expect(parse({ event: 7, type: "blacklist" })).toMatchObject({ type: "blacklist", name: "blacklist", email: null });
    expect(parse({ event: "click", type: "blacklist" })).toMatchObject({ type: "click" });
  });

  it("reads inbound mail", () => {
    expect(parse(rawEvent("inbound"))).toMatchObject({
      type: "inbound",
      email: "help@inbound.example.com",
      message: null,
      messageId: null,
      from: "Ada <ada@example.com>",
      to: ["Help <help@inbound.example.com>", "second@inbound.example.com"],
      subject: expect.stringMatching(/^Question \d+$/),
      text: "Hello\n",
      html: "<p>Hello</p>",
      attachments: [{ name: "order.pdf", type: "application/pdf", size: 2_000 }],
    } satisfies Partial<InboundEvent>);
  });

  it("reads inbound mail of which nothing came along", () => {
    expect(parse({ event: "inbound", ts: 1344498257 })).toMatchObject({
      type: "inbound",
      email: null,
      from: null,
      to: [],
      subject: null,
      text: null,
      html: null,
      attachments: [],
    });
  });

  it.each([[undefined], [null], [{}], [[]], ["gone"], [7]])("has no message where msg is %j", (msg) => {
    const event = parse({ event: "open", _id: "outer", ts: "1760000000", msg });
    expect(event).toMatchObject({
      type: "open",
      message: null,
      email: null,
      messageId: "outer",
      messageState: null,
      occurredAt: 1760000000_000,
      location: null,
      client: null,
    });
  });

  it.each([[undefined], [null], [[]], [{}], ["text"], [7]])("has metadata {} where Mandrill sent %j", (metadata) => {
    expect(parse({ event: "send", msg: { email: "a@example.com", metadata } }).message?.metadata).toEqual({});
  });

  it("keeps metadata that PHP has written as a list", () => {
    expect(parse({ event: "send", msg: { metadata: ["a", { b: 1 }] } }).message?.metadata).toEqual(["a", { b: 1 }]);
  });

  it("keeps the digits of long integers in metadata and in raw", () => {
    const raw = { event: "send", msg: { metadata: { order: JSON.rawJSON("12345678901234567890") } } };
    expect(RAW_EVENTS.encode(parse(raw))).toContain('"metadata":{"order":12345678901234567890}');
  });

  it.each([[undefined], [null], [[]], [{}], ["US"]])("has no location where Mandrill sent %j", (location) => {
    expect((parse({ event: "click", location, user_agent_parsed: location }) as ClickEvent).location).toBeNull();
    expect((parse({ event: "click", location, user_agent_parsed: location }) as ClickEvent).client).toBeNull();
  });

  it("knows what Mandrill writes where it could not locate an address", () => {
    const nowhere = {
      country_short: "INVALID IP ADDRESS",
      latitude: "INVALID IP ADDRESS",
      longitude: "-0.5",
      postal_code: "-",
    };
    expect(parse({ event: "open", location: nowhere })).toMatchObject({
      location: { countryCode: null, latitude: null, longitude: -0.5, postalCode: "-", city: null },
    });
  });

  it("has null for a mistyped field, and keeps the kind", () => {
    const event = parse({
      event: "hard_bounce",
      ts: "yesterday",
      _id: 7,
      msg: {
        _id: {},
        email: ["a"],
        tags: "x",
        ts: true,
        state: 1,
        diag: 5,
        bgtools_code: 3_000_000_000,
        bounce_description: null,
      },
    });
    expect(event).toMatchObject({
      type: "hard_bounce",
      occurredAt: null,
      messageId: null,
      messageState: null,
      email: null,
      diag: null,
      description: null,
      code: null,
      message: { email: null, sentAt: null, tags: [], metadata: {} },
    });
  });

  it("keeps each tag once, and no more than an index should hold", () => {
    expect(parse({ event: "send", msg: { tags: ["b", "a", "b", 7, null, ""] } }).message?.tags).toEqual(["b", "a"]);
    const many = Array.from({ length: 1_000 }, (_, i) => `tag-${i}`);
    expect(parse({ event: "send", msg: { tags: many } }).message?.tags).toHaveLength(100);
  });

  it.each([
    [{ event: "sms_sent", _id: "m1", ts: 1760000000 }, "sms_sent"],
    [{ type: "sms_delivered" }, "sms_delivered"],
    [{ event: "other" }, "other"],
    [{ event: "Open" }, "Open"],
    [{ event: "__proto__" }, "__proto__"],
    [{ event: 5, type: ["blacklist"] }, null],
    [{}, null],
    [{ a: 1 }, null],
    [[], null],
    [["event", "open"], null],
    [null, null],
    [true, null],
    [42, null],
    ["open", null],
    [JSON.rawJSON("12345678901234567890"), null],
  ])("keeps %j as `other`, named %j", (raw, name) => {
    expect(parse(raw)).toMatchObject({ type: "other", name, raw });
  });

  it("reads of an unknown kind what it has in common with the known ones", () => {
    expect(parse(rawEvent("other", { msg: { _id: "m1", email: "a@example.com" } }))).toMatchObject({
      type: "other",
      name: "sms_sent",
      messageId: "m1",
      email: "a@example.com",
    });
  });

  it("is not led astray by keys that are names of JavaScript's own", () => {
    const raw = JSON.parse('{"__proto__":{"event":"open"},"constructor":{"event":"open"}}');
    expect(parse(raw)).toMatchObject({ type: "other", name: null, message: null });
  });

  it("gives out only text that can be sent as UTF-8, and leaves raw alone", () => {
    const raw = { event: "send", msg: { subject: "a\ud800", tags: ["\udc00"], metadata: { a: "\ud800" } } };
    const event = parse(raw);
    expect(event.message).toMatchObject({ subject: "a\ufffd", tags: ["\ufffd"] });
    expect(JSON.parse(RAW_EVENTS.encode(event)).raw).toEqual(raw);
  });

  it.each(EVENT_TYPES.map((type) => [type]))("gives a raw event of the kind %s that kind", (type) => {
    expect(parse(rawEvent(type)).type).toBe(type);
  });

  it.each(PAYLOADS)("reads all of %s", (_file, elements) => {
    for (const raw of elements) {
      const event = parse(raw);
      expect(event.name).toBe(raw.event ?? raw.type);
      expect(event.type).toBe(event.name);
      expect(event.email).toBe(emailOf(raw));
      expect(RAW_EVENTS.decode(RAW_EVENTS.encode(event))).toEqual(event);
    }
  });

  it("has null for the coordinates of an invalid address in a captured batch", () => {
    const opens = payload("mandrill_net_webhook_invalid")
      .map(parse)
      .filter((event) => event.type === "open");
    expect(opens).toHaveLength(1);
    expect(opens[0]).toMatchObject({ location: { latitude: null, longitude: null, city: "Oklahoma City" } });
  });

  it("throws for no JSON value at all, and what it gives can be stored and read back", () => {
    fc.assert(
      fc.property(anyElement, (raw) => {
        const event = parseEvent(raw, ID, null);
        expect(() => JSON.stringify(event)).not.toThrow();
        // As JSON: it knows no -0.
        expect(JSON.stringify(RAW_EVENTS.decode(RAW_EVENTS.encode(event)))).toBe(JSON.stringify(event));
        if (event.occurredAt !== null) expect(new Date(event.occurredAt).toISOString()).toMatch(/^\d{4}-/);
      }),
      { numRuns: 10_000, interruptAfterTimeLimit: 5_000 },
    );
  });
});

/** The address that an element holds, wherever it does. */
function emailOf(raw: Record<string, unknown>): unknown {
  const about = (raw.msg ?? raw.reject ?? raw.entry ?? {}) as { email?: unknown };
  return about.email ?? null;
}

/** What a field may hold: what Mandrill sends, and whatever else. */
const anyValue = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.constantFrom<Json>([], {}, null, "", 0, -1, true, "INVALID IP ADDRESS", "2014-02-01 12:43:56"),
  },
  { weight: 1, arbitrary: fc.double() as fc.Arbitrary<Json> },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 20 }) },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json> },
);

function objectOf(names: string, values: fc.Arbitrary<Json> = anyValue): fc.Arbitrary<Json> {
  const model = Object.fromEntries(names.split(" ").map((name) => [name, values]));
  return fc.record(model, { requiredKeys: [] }) as fc.Arbitrary<Json>;
}

const anyElement: fc.Arbitrary<Json> = fc.oneof(
  { weight: 1, arbitrary: fc.jsonValue() as fc.Arbitrary<Json> },
  {
    weight: 4,
    arbitrary: fc
      .tuple(
        fc.constantFrom(...EVENT_TYPES, "denylist", "sms_sent", 5),
        fc.constantFrom("event", "type"),
        objectOf("ts _id ip user_agent url diag action location user_agent_parsed"),
        objectOf(
          "_id ts email sender subject state tags metadata reject subaccount template diag bgtools_code smtp_events",
        ),
        objectOf(
          "from_email from_name to subject text html attachments email reason detail expires_at latitude ua_name",
        ),
      )
      .map(([kind, key, outer, msg, inner]) => {
        const part = { ...(msg as object), ...(inner as object) };
        const whole = { ...(outer as object), msg: part, reject: inner, location: inner, user_agent_parsed: inner };
        return { [key]: kind, ...(Object.keys(part).length % 2 === 0 ? (outer as object) : whole) } as Json;
      }),
  },
);
