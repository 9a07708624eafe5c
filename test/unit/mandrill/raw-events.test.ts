import { describe, expect, it } from "vitest";
import type { Json } from "../../../src/event/event.ts";
import { parseEvent } from "../../../src/mandrill/parse-event.ts";
import { RAW_EVENTS, RAW_EVENTS_VERSION } from "../../../src/mandrill/raw-events.ts";

const WEBHOOK = "https://hooks.example.com/mandrill";
const raw = {
  event: "click",
  ts: 1_795_467_660,
  url: "https://example.com/",
  msg: { _id: "m", email: "a@example.com" },
};

describe("events kept as Mandrill sent them", () => {
  it("come back as they were parsed", () => {
    const event = parseEvent(raw, "id", WEBHOOK);
    expect(RAW_EVENTS.decode(RAW_EVENTS.encode(event))).toEqual(event);
  });

  it("are one line that says the version first and holds nothing twice", () => {
    const stored = RAW_EVENTS.encode(parseEvent(raw, "id", WEBHOOK));
    expect(stored).toBe(`{"v":${RAW_EVENTS_VERSION},"id":"id","webhook":"${WEBHOOK}","raw":${JSON.stringify(raw)}}`);
  });

  it("keep keys that are names of JavaScript's own", () => {
    const odd = JSON.parse('{"__proto__":{"v":1},"constructor":2,"v":3}') as Json;
    const decoded = RAW_EVENTS.decode(RAW_EVENTS.encode(parseEvent(odd, "id", null)));
    expect(JSON.stringify(decoded.raw)).toBe('{"__proto__":{"v":1},"constructor":2,"v":3}');
  });

  it("are read from what a later version has written, which may have more", () => {
    const later = RAW_EVENTS.encode(parseEvent(raw, "id", WEBHOOK)).replace('{"v":1,', '{"v":2,"trace":"00-ab-cd-01",');
    expect(RAW_EVENTS.decode(later)).toEqual(parseEvent(raw, "id", WEBHOOK));
  });

  // Written out: these are in people's logs, whatever this version writes.
  it("are read as version 1 wrote them", () => {
    const first = `{"v":1,"id":"id","webhook":"${WEBHOOK}","raw":${JSON.stringify(raw)}}`;
    expect(RAW_EVENTS.decode(first)).toEqual(parseEvent(raw, "id", WEBHOOK));
    const traced = first.replace('"raw"', '"traceParent":"00-ab-cd-01","raw"');
    expect(RAW_EVENTS.decode(traced)).toEqual({ ...parseEvent(raw, "id", WEBHOOK), traceParent: "00-ab-cd-01" });
  });

  it("are `other` where only a later version knows their kind", () => {
    const later = '{"v":2,"id":"id","webhook":null,"later":[1],"raw":{"event":"sms_sent","ts":1795467660}}';
    expect(RAW_EVENTS.decode(later)).toMatchObject({ type: "other", name: "sms_sent", occurredAt: 1_795_467_660_000 });
  });

  it.each(["null", "{}", '{"v":1,"id":"a"}', '{"v":1,"raw":{}}', "no JSON"])("are not made of %s", (stored) => {
    expect(() => RAW_EVENTS.decode(stored)).toThrow();
  });
});

describe("the text of a raw event", () => {
  const { rawText: _, ...event } = parseEvent(raw, "id", WEBHOOK);

  it("is kept as it came, and comes back as the same value", () => {
    const text = '{ "event":"open", "id": 1.50, "url":"https:\\/\\/example.com\\/", "u": "\\u0416\\ud800" }';
    const stored = RAW_EVENTS.encode({ ...event, rawText: text });
    expect(stored).toBe(`{"v":${RAW_EVENTS_VERSION},"id":"id","webhook":"${WEBHOOK}","raw":${text}}`);
    expect(RAW_EVENTS.decode(stored).raw).toEqual(JSON.parse(text));
  });

  it.each([
    ["has a line break", '{"event":\n"click"}'],
    ["is long", `{"event":"${"x".repeat(5_000)}"}`],
  ])("is written anew where it %s", (_name, rawText) => {
    expect(RAW_EVENTS.encode({ ...event, rawText })).toBe(RAW_EVENTS.encode(event as typeof event));
  });
});
