import { pino } from "pino";
import { describe, expect, it, onTestFinished } from "vitest";
import { createHub } from "../../src/hub/hub.ts";
import { createPostToFrame, DELIVERIES_REMEMBERED, PENDING_LIMIT } from "../../src/post-to-frame.ts";
import { watchHub } from "../../src/service-watch.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { createScriptedLog } from "../harness/scripted-log.ts";

/** With a clock that stands where the test puts it. */
function clocked() {
  const times: number[] = [];
  const clock = { now: 0 };
  const postToFrame = createPostToFrame(
    (time) => times.push(time),
    () => clock.now,
  );
  return { times, clock, postToFrame };
}

const batch = (head: number, arrivedAt: number, appended = 1) => ({ head, arrivedAt, appended });

describe("the time from POST to frame", () => {
  it("ends with the delivery that reaches a batch's last entry, once for each batch", () => {
    const { times, clock, postToFrame } = clocked();
    postToFrame.appended(batch(4, 10), 0);
    postToFrame.appended(batch(6, 12), 0);
    clock.now = 20;
    postToFrame.delivered(1, 3);
    expect(times).toEqual([]);
    clock.now = 30;
    postToFrame.delivered(4, 6);
    expect(times).toEqual([20, 18]);
    postToFrame.delivered(7, 9);
    expect(times).toHaveLength(2);
  });

  it("is that of the delivery where the append is answered after it", () => {
    const { times, clock, postToFrame } = clocked();
    for (const at of [20, 21, 22]) {
      clock.now = at;
      postToFrame.delivered(at, at);
    }
    clock.now = 50;
    postToFrame.appended(batch(21, 15), 22);
    expect(times).toEqual([6]);
  });

  it("is not taken of a batch that held nothing new", () => {
    const { times, postToFrame } = clocked();
    postToFrame.appended(batch(5, 0, 0), 4);
    postToFrame.delivered(5, 5);
    expect(times).toEqual([]);
  });

  it("is not taken of what is never handed out: the feed begins behind it", () => {
    const { times, postToFrame } = clocked();
    postToFrame.appended(batch(3, 0), null);
    postToFrame.appended(batch(3, 0), 5);
    postToFrame.delivered(6, 6);
    postToFrame.appended(batch(3, 0), 6);
    expect(times).toEqual([]);
  });

  it("is not taken of a batch in a log that the feed has yet to learn of", () => {
    const { times, clock, postToFrame } = clocked();
    postToFrame.delivered(1, 9);
    clock.now = 10;
    postToFrame.appended(batch(2, 5), 9);
    postToFrame.beganAgain();
    expect(times).toEqual([]);
  });

  it("keeps no more than its bounds, and of batches the oldest", () => {
    const { times, clock, postToFrame } = clocked();
    for (let number = 1; number <= PENDING_LIMIT + 1; number++) postToFrame.appended(batch(number, number), 0);
    clock.now = PENDING_LIMIT + 1;
    postToFrame.delivered(1, PENDING_LIMIT + 1);
    expect(times).toHaveLength(PENDING_LIMIT);
    expect([times[0], times.at(-1)]).toEqual([PENDING_LIMIT, 1]);
    const first = PENDING_LIMIT + 2;
    const last = first + DELIVERIES_REMEMBERED;
    for (let number = first; number <= last; number++) postToFrame.delivered(number, number);
    for (const number of [first, first + 1]) postToFrame.appended(batch(number, clock.now - 7), last);
    expect(times.slice(PENDING_LIMIT)).toEqual([7]);
  });

  it("is forgotten with the log that the feed leaves", async () => {
    const { times, postToFrame } = clocked();
    const log = createScriptedLog();
    const gap = Promise.withResolvers<void>();
    const handedOut = Promise.withResolvers<void>();
    const watch = watchHub(createMetrics(), postToFrame, null);
    const hub = createHub({
      eventLog: log,
      recentEntries: { maxEntries: 10, maxBytes: 1e6 },
      watch: {
        ...watch,
        beganAgain: () => gap.resolve(watch.beganAgain()),
        delivered: (...delivery) => handedOut.resolve(watch.delivered(...delivery)),
      },
      logger: pino({ level: "silent" }),
    });
    onTestFinished(() => hub.stop());
    hub.start();
    await hub.begun();
    log.append([{}, {}], "lost");
    postToFrame.appended(batch(2, 0), hub.number);
    log.flush();
    log.append([{}], "number");
    await gap.promise;
    expect(hub.number).toBe(1);
    log.append([{}, {}]);
    postToFrame.appended(batch(3, -8), hub.number);
    await handedOut.promise;
    expect(times).toEqual([8]);
  });
});
