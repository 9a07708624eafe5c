import { describe, expect, it } from "vitest";
import { createEventStream } from "../../../src/command/simulate/event-stream.ts";
import { SIMULATED_TYPES, type SimulatedType } from "../../../src/command/simulate/life-plan.ts";
import { createRandom } from "../../../src/command/simulate/random.ts";
import { canonicalContent } from "../../../src/event/event-id.ts";
import { parseEvent } from "../../../src/mandrill/parse-event.ts";

const AT = Date.UTC(2026, 10, 23, 12);

function events(count: number, seed: number, types: readonly SimulatedType[] = SIMULATED_TYPES) {
  const stream = createEventStream(createRandom(seed), new Set(types));
  return Array.from({ length: count }, (_, i) => stream.next(AT + i * 50));
}

const nameOf = (event: Readonly<Record<string, unknown>>) => event.event ?? event.type;

describe("the simulator's events", () => {
  it("are the same for the same seed and times, and others for another seed", () => {
    expect(events(300, 5)).toEqual(events(300, 5));
    expect(events(300, 5)).not.toEqual(events(300, 6));
  });

  it("are of every kind that Mandrill has, and parsed as that kind", () => {
    const raw = events(20_000, 1);
    expect(new Set(raw.map(nameOf))).toEqual(new Set(SIMULATED_TYPES));
    for (const event of raw.slice(0, 2_000)) {
      expect(parseEvent(event as never, "id", null)).toMatchObject({
        type: nameOf(event),
        email: expect.stringMatching(/@(?:inbound\.)?example\.com$/),
        occurredAt: expect.any(Number),
      });
    }
  });

  it("are all different, however many come about in one second", () => {
    const stream = createEventStream(createRandom(4), new Set(SIMULATED_TYPES));
    const contents = Array.from({ length: 50_000 }, () => canonicalContent(stream.next(AT) as never) as string);
    expect(new Set(contents).size).toBe(50_000);
  });

  it("come about at the times given, in seconds", () => {
    expect(events(100, 1).map(({ ts }) => ts)).toEqual(
      Array.from({ length: 100 }, (_, i) => Math.floor((AT + i * 50) / 1_000)),
    );
  });

  it("are of the kinds that are wanted alone, however rare", () => {
    expect(new Set(events(50, 3, ["whitelist", "spam"]).map(nameOf))).toEqual(new Set(["whitelist", "spam"]));
  });

  it("name no address but those for examples and documentation", () => {
    const text = JSON.stringify(events(3_000, 2));
    for (const [, domain] of text.matchAll(/@([\w.-]+)/g))
      expect(domain).toMatch(/^(?:(?:inbound|mail)\.)?example\.com$/);
    for (const [ip] of text.matchAll(/(?<=ip":")[\d.]+/g))
      expect(ip).toMatch(/^(?:192\.0\.2|198\.51\.100|203\.0\.113)\./);
    for (const [, host] of text.matchAll(/https?:\/\/([^/"]+)/g)) expect(host).toMatch(/(?:^|\.)example\.com$/);
  });
});
