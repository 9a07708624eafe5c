import { describe, expect, it } from "vitest";
import { createEntryCodec, Entry, type EntryCodec } from "../../../src/event/entry.ts";
import { WHOLE_EVENTS } from "../../../src/event/stored-event.ts";
import { sampleEvent } from "../../harness/event-samples.ts";

const POSITION = { epoch: "00112233", number: 5, tag: "abcdefgh" };

describe("Entry", () => {
  it("shows its position as a cursor that names it", () => {
    const codec = createEntryCodec(Buffer.alloc(16, 1));
    const entry = new Entry(POSITION, 1_700_000_000_000, sampleEvent(), 300, codec);
    expect(codec.decode(entry.cursor)).toEqual(POSITION);
  });

  it("writes its cursor once, and not before it is asked for", () => {
    let encoded = 0;
    const codec: EntryCodec = {
      ...createEntryCodec(Buffer.alloc(16)),
      encode: () => `cursor-${++encoded}`,
    };
    const entry = new Entry(POSITION, 1_700_000_000_000, sampleEvent(), 300, codec);
    expect(encoded).toBe(0);
    expect([entry.cursor, entry.cursor]).toEqual(["cursor-1", "cursor-1"]);
  });

  it("keeps its place where its event was erased", () => {
    const entry = new Entry(POSITION, 1_700_000_000_000, null, 0, createEntryCodec(Buffer.alloc(16)));
    expect(entry).toMatchObject({ ...POSITION, event: null, bytes: 0 });
  });

  it("decodes it again where what was decoded has been released, and keeps what was never stored", () => {
    const codec = createEntryCodec(Buffer.alloc(16));
    const stored = new Entry(POSITION, 1_700_000_000_000, WHOLE_EVENTS.encode(sampleEvent()), 300, codec);
    const before = stored.event;
    stored.release();
    expect(stored.event).not.toBe(before);
    expect(stored.event).toEqual(before);
    const made = new Entry(POSITION, 1_700_000_000_000, sampleEvent(), 300, codec);
    made.release();
    expect(made.event).toEqual(sampleEvent());
  });

  it("made from the stored form decodes it once, and not to tell whether it was erased", () => {
    const stored = WHOLE_EVENTS.encode(sampleEvent({ id: "stored" }));
    for (const form of [stored, Buffer.from(stored)]) {
      const entry = new Entry(POSITION, 1_700_000_000_000, form, 300, createEntryCodec(Buffer.alloc(16)));
      expect(entry.isErased).toBe(false);
      expect(entry.event).toEqual(sampleEvent({ id: "stored" }));
      expect(entry.event).toBe(entry.event);
    }
    const unreadable = new Entry(POSITION, 1_700_000_000_000, "no JSON", 300, createEntryCodec(Buffer.alloc(16)));
    expect(unreadable.isErased).toBe(false);
    expect(() => unreadable.event).toThrow();
  });
});
