import { describe, expect, it } from "vitest";
import { EVENT_TYPES } from "../../../src/event/event-type.ts";
import { STORED_VERSION, WHOLE_EVENTS } from "../../../src/event/stored-event.ts";
import { sampleEvent } from "../../harness/event-samples.ts";

describe("events kept whole", () => {
  it.each(EVENT_TYPES.map((type) => [type]))("keep an event of the kind %s whole", (type) => {
    const event = sampleEvent({
      type,
      tags: ["a", "ü", "\u0000"],
      raw: { event: type, deep: [[{ x: null }]], text: "\u2028" },
    });
    expect(WHOLE_EVENTS.decode(WHOLE_EVENTS.encode(event))).toEqual(event);
  });

  it("keep keys that are names of JavaScript's own", () => {
    const raw = JSON.parse('{"__proto__":{"v":1},"constructor":2,"v":3}');
    const decoded = WHOLE_EVENTS.decode(WHOLE_EVENTS.encode(sampleEvent({ raw })));
    expect(JSON.stringify(decoded.raw)).toBe('{"__proto__":{"v":1},"constructor":2,"v":3}');
  });

  it("say the version first", () => {
    expect(WHOLE_EVENTS.encode(sampleEvent())).toMatch(new RegExp(`^\\{"v":${STORED_VERSION},"id":`));
  });

  it("ignore the version, and keep a field that a later one has added out of nobody's way", () => {
    const later = WHOLE_EVENTS.encode(sampleEvent()).replace('{"v":1,', '{"v":2,"later":{"a":1},');
    expect(WHOLE_EVENTS.decode(later)).toMatchObject(sampleEvent());
  });

  it("read a kind that a later version has as `other`, with the name it had", () => {
    const later = WHOLE_EVENTS.encode(sampleEvent()).replaceAll('"send"', '"sms_sent"');
    expect(WHOLE_EVENTS.decode(later)).toMatchObject({ type: "other", name: "sms_sent" });
  });
});
