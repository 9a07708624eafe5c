import fc from "fast-check";
import { assertInterfaceType, type ExecutionResult, execute, parse, validate } from "graphql";
import { describe, expect, it } from "vitest";
import { type Scope, UNSCOPED } from "../../../../src/access/scope.ts";
import { createEntryCodec, Entry } from "../../../../src/event/entry.ts";
import type { Event, Json } from "../../../../src/event/event.ts";
import { EVENT_TYPES } from "../../../../src/event/event-type.ts";
import { schema } from "../../../../src/graphql/schema.ts";
import { parseEvent } from "../../../../src/mandrill/parse-event.ts";
import { sampleEvent } from "../../../harness/event-samples.ts";
import { everyField } from "../field-selection.ts";

const codec = createEntryCodec(Buffer.alloc(16, 7));
const selection = everyField(schema, assertInterfaceType(schema.getType("Event")));
const document = parse(`subscription { eventReceived ${selection} }`);

function entryOf(event: Event): Entry {
  return new Entry({ epoch: "0a0b0c0d", number: 7, tag: "abcdefgh" }, 1_700_000_002_345, event, 100, codec);
}

/** The whole event as a subscriber gets it. Throws where anything went wrong, or was not done at once. */
function show(event: Event, scope: Scope = UNSCOPED): Record<string, unknown> {
  const result = execute({ schema, document, rootValue: entryOf(event), contextValue: { scope } });
  expect(result).not.toBeInstanceOf(Promise);
  const { data, errors } = result as ExecutionResult;
  expect(errors).toBeUndefined();
  // graphql-js makes objects without a prototype.
  return structuredClone(data?.eventReceived) as Record<string, unknown>;
}

const common = {
  cursor: entryOf(sampleEvent()).cursor,
  occurredAt: "2023-11-14T22:13:21.000Z",
  receivedAt: "2023-11-14T22:13:22.345Z",
  messageState: "sent",
  email: "ada@example.com",
  webhook: null,
};
const message = {
  email: "ada@example.com",
  sender: "shop@example.com",
  subject: "Your order",
  sentAt: "2023-11-14T22:13:20.000Z",
  tags: [],
  metadata: {},
  subaccount: null,
  template: null,
};

describe("an event", () => {
  it("is asked for all of its fields by a valid operation", () => {
    expect(validate(schema, document)).toEqual([]);
  });

  it.each(EVENT_TYPES)("of type %s shows all of its fields at once and without an error", (type) => {
    const shown = show(sampleEvent({ type, id: "sample" }));
    expect(shown).toMatchObject({ ...common, id: "sample", type, name: type, messageId: "message-sample" });
    expect(shown.raw).toEqual({ event: type, padding: "" });
  });

  it.each<[type: Event["type"], object: string]>([
    ["send", "SendEvent"],
    ["deferral", "DeferralEvent"],
    ["hard_bounce", "BounceEvent"],
    ["soft_bounce", "BounceEvent"],
    ["delivered", "DeliveredEvent"],
    ["open", "OpenEvent"],
    ["click", "ClickEvent"],
    ["spam", "SpamEvent"],
    ["unsub", "UnsubEvent"],
    ["reject", "RejectEvent"],
    ["blacklist", "SyncEvent"],
    ["whitelist", "SyncEvent"],
    ["inbound", "InboundEvent"],
    ["other", "OtherEvent"],
  ])("of type %s is a %s", (type, object) => {
    expect(show(sampleEvent({ type }))).toMatchObject({ __typename: object });
  });

  it("may lack everything that Mandrill may leave out", () => {
    const bare: Event = {
      id: "bare",
      type: "other",
      name: null,
      occurredAt: null,
      messageId: null,
      messageState: null,
      email: null,
      subaccount: null,
      message: null,
      webhook: null,
      raw: null,
    };
    expect(show(bare)).toEqual({
      __typename: "OtherEvent",
      id: "bare",
      cursor: common.cursor,
      type: "other",
      name: null,
      occurredAt: null,
      receivedAt: common.receivedAt,
      messageId: null,
      messageState: null,
      email: null,
      message: null,
      webhook: null,
      raw: null,
    });
  });

  it("that is a click tells who clicked what, where and with what", () => {
    const location = {
      country: "Austria",
      countryCode: "AT",
      region: "Vienna",
      city: "Vienna",
      postalCode: "1010",
      latitude: 48.2,
      longitude: 16.37,
      timezone: "+02:00",
    };
    const client = {
      type: "Browser",
      family: "Firefox",
      name: "Firefox 128",
      version: "128",
      os: "Linux",
      mobile: false,
    };
    const click = { ...sampleEvent({ id: "c", type: "click" }), location, client, webhook: "main" } as Event;
    expect(show(click)).toEqual({
      __typename: "ClickEvent",
      ...common,
      id: "c",
      type: "click",
      name: "click",
      messageId: "message-c",
      message,
      webhook: "main",
      raw: { event: "click", padding: "" },
      ip: "192.0.2.7",
      userAgent: "Mozilla/5.0",
      location,
      client,
      url: "https://example.com/",
    });
  });

  it("that is a bounce tells why", () => {
    const why = { diag: "smtp;550 5.1.1", description: "bad_mailbox", code: 10 };
    expect(show({ ...sampleEvent({ type: "hard_bounce" }), ...why } as Event)).toMatchObject(why);
  });

  it("that is a denylist's entry tells of the entry", () => {
    const entry = { action: "add", reason: "hard-bounce", detail: "550 no such user" };
    const event = { ...sampleEvent({ type: "blacklist" }), ...entry, expiresAt: 1_700_000_000_000 } as Event;
    expect(show(event)).toMatchObject({ ...entry, expiresAt: "2023-11-14T22:13:20.000Z", message: null });
  });

  it("shows whatever it was parsed from", () => {
    const odd = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.constantFrom(
        Number.POSITIVE_INFINITY,
        1e20,
        2 ** 31,
        -0,
        253_402_300_800,
        "1e5",
        "2025-02-31 00:00:00",
        "",
        "\ud800",
      ),
    );
    const names = (keys: readonly string[]): fc.Arbitrary<Record<string, unknown>> =>
      fc.record(Object.fromEntries(keys.map((key) => [key, odd])), { requiredKeys: [] });
    const message = names([
      "_id",
      "ts",
      "email",
      "sender",
      "state",
      "tags",
      "metadata",
      "subaccount",
      "bgtools_code",
      "diag",
      "to",
      "attachments",
      "text",
    ]);
    const place = names(["latitude", "longitude", "city", "timezone"]);
    const agent = names(["mobile", "ua_name", "type"]);
    const element = fc.record(
      {
        event: fc.oneof(fc.constantFrom(...EVENT_TYPES), odd),
        type: fc.oneof(fc.constantFrom("blacklist", "whitelist"), odd),
        ts: odd,
        _id: odd,
        msg: fc.oneof(message, odd),
        location: fc.oneof(place, odd),
        user_agent_parsed: fc.oneof(agent, odd),
        reject: fc.oneof(names(["reason", "email", "expires_at"]), odd),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(element, odd), (raw) => {
        show(parseEvent(raw as Json, "id", null));
      }),
    );
  });

  describe("with content", () => {
    const mail = {
      from: "bob@example.com",
      to: ["support@example.com"],
      subject: "Help",
      text: "Please",
      html: "<p>Please</p>",
      attachments: [{ name: "a.pdf", type: "application/pdf", size: 12 }],
    };
    const inbound = { ...sampleEvent({ type: "inbound", raw: { event: "inbound" } }), ...mail } as Event;

    it("shows it where the scope allows", () => {
      expect(show(inbound)).toMatchObject({ ...mail, raw: { event: "inbound" } });
    });

    it("withholds raw, text and html, and nothing else, where the scope does not", () => {
      const shown = show(inbound, { raw: false });
      expect(shown).toEqual({ ...show(inbound), raw: null, text: null, html: null });
    });
  });
});
