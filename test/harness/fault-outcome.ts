import { expect } from "vitest";
import { type FaultInstances, LAST } from "./fault-scene.ts";

/** Within which a batch that cannot be appended is refused. Milliseconds. */
export const REFUSED_WITHIN = 5_000;

/** Whatever was not acknowledged was refused with 503, and in time; and every subscriber has kept its socket. */
export function expectServed({ subscribers, publisher: { refusals, longestRefusal } }: FaultInstances): void {
  expect(refusals.filter((status) => status !== 503)).toEqual([]);
  expect(longestRefusal).toBeLessThan(REFUSED_WITHIN);
  expect(subscribers.map(({ connections }) => connections)).toEqual([1, 1]);
}

/** Everything acknowledged came to both, once and in the log's order, and nobody was told of a gap. */
export async function expectComplete({ settled, subscribers, publisher }: FaultInstances): Promise<void> {
  await settled();
  for (const { received, gaps } of subscribers) {
    expect(gaps).toEqual([]);
    expect(received).toEqual([...publisher.acknowledged, LAST]);
  }
}

/**
 * Everyone was told, once, that the log is another: what came before is the beginning of what was acknowledged, and
 * what came after is all of its end.
 */
export async function expectToldOnce({ settled, subscribers, publisher }: FaultInstances, acknowledgedLater: number) {
  await settled();
  const everything = [...publisher.acknowledged, LAST];
  for (const { received, gaps } of subscribers) {
    expect(gaps).toEqual([{ code: "CURSOR_UNKNOWN", received: expect.any(Number) }]);
    const before = gaps[0]?.received ?? 0;
    expect(received.slice(0, before)).toEqual(everything.slice(0, before));
    expect(received.slice(before)).toEqual(everything.slice(before - received.length));
    expect(received.length - before).toBeGreaterThan(acknowledgedLater);
  }
}

/** Resolves when every subscriber has been told of a gap, and goes on behind it. */
export async function untilTold({ subscribers }: FaultInstances): Promise<void> {
  await Promise.all(subscribers.map((subscriber) => subscriber.until(({ gaps }) => gaps.length > 0)));
}
