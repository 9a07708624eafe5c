import { setInterval as every } from "node:timers/promises";
import type { Page } from "playwright-core";
import { beforeAll, describe, expect, it } from "vitest";
import { buildLivePage, openLivePage, postEvents } from "../harness/live-page.ts";
import { rawEvents } from "../harness/mandrill-post.ts";
import { runService } from "../harness/service.ts";

/** Listed before: a list that draws all of its rows is slow from some hundreds on. */
const LISTED = 2_000;
const MEASURED = 600;
/** 200 events a second, some at a time as Mandrill posts them. Milliseconds. */
const BATCH = 10;
const BATCH_INTERVAL = 50;

/** A display's frame takes 16.7 ms. Half of them may be a little late, by the clock of a machine that is busy elsewhere. */
const MEDIAN_FRAME_MS = 20;
/** Within a quarter of a second an answer to a click still feels like one. */
const LONGEST_TASK_MS = 250;
/** Of the processor's time: what else runs on the machine does not count. The other half is for who uses the page. */
const MOST_CPU_SHARE = 0.5;

beforeAll(buildLivePage);

/** What a page's thread was like. */
interface Smoothness {
  readonly medianFrameMs: number;
  /** Of those over 50 ms, which is what a browser calls long; else 0. */
  readonly longestTaskMs: number;
  /** Seconds of the processor that its tasks took. */
  readonly cpuSeconds: number;
}

interface Seen {
  readonly frames: readonly number[];
  readonly tasks: readonly number[];
}

/** Watches a page's thread from now on; resolves to a function that ends it and tells. */
async function watchThread(page: Page): Promise<() => Promise<Smoothness>> {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  const cpuNow = async (): Promise<number> => {
    const { metrics } = await session.send("Performance.getMetrics");
    return metrics.find(({ name }) => name === "TaskDuration")?.value ?? Number.NaN;
  };
  await page.evaluate(() => {
    const frames: number[] = [];
    const tasks: number[] = [];
    Object.assign(globalThis, { seen: { frames, tasks } satisfies Seen });
    const frameAfter = (last: number): void => {
      requestAnimationFrame(() => {
        const now = performance.now();
        frames.push(now - last);
        frameAfter(now);
      });
    };
    frameAfter(performance.now());
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) tasks.push(duration);
    }).observe({ type: "longtask" });
  });
  const begunAt = await cpuNow();
  return async () => {
    const cpuSeconds = (await cpuNow()) - begunAt;
    const { frames, tasks } = await page.evaluate(() => (globalThis as unknown as { seen: Seen }).seen);
    const sorted = frames.toSorted((a, b) => a - b);
    return {
      medianFrameMs: sorted[Math.floor(sorted.length / 2)] ?? Number.POSITIVE_INFINITY,
      longestTaskMs: Math.max(0, ...tasks),
      cpuSeconds,
    };
  };
}

/** Posts at 200 events a second until it is over; resolves to how many. */
async function postSteadily(url: string, seed: number, isOver: (posted: number) => boolean): Promise<number> {
  let posted = 0;
  for await (const _ of every(BATCH_INTERVAL)) {
    await postEvents(url, ...rawEvents(BATCH, seed + posted));
    posted += BATCH;
    if (isOver(posted)) break;
  }
  return posted;
}

describe("the live page at 200 events a second", () => {
  it("is smooth, and can be paused", async () => {
    await using service = await runService();
    const before = rawEvents(LISTED);
    await using live = await openLivePage(service.url);
    for (let from = 0; from < LISTED; from += 500) await postEvents(service.url, ...before.slice(from, from + 500));
    const listed = (count: number) => live.page.getByText(`${count.toLocaleString("en")} events`).waitFor();
    await listed(LISTED);

    const ended = await watchThread(live.page);
    await postSteadily(service.url, LISTED, (posted) => posted === MEASURED);
    await listed(LISTED + MEASURED);
    const { medianFrameMs, longestTaskMs, cpuSeconds } = await ended();
    expect(medianFrameMs).toBeLessThan(MEDIAN_FRAME_MS);
    expect(longestTaskMs).toBeLessThan(LONGEST_TASK_MS);
    expect(cpuSeconds / ((MEASURED / BATCH) * (BATCH_INTERVAL / 1_000))).toBeLessThan(MOST_CPU_SHARE);

    let isSeen = false;
    const coming = postSteadily(service.url, LISTED + MEASURED, () => isSeen);
    await live.button("Pause").click();
    const held = (atLeast: RegExp) => live.page.getByRole("button", { name: atLeast }).waitFor();
    await held(/^\d+ new events?$/);
    const newest = await live.rows.first().textContent();
    await held(/^[1-9]\d\d new events$/);
    expect(await live.rows.first().textContent()).toBe(newest);
    await live.button("Go on").click();
    isSeen = true;
    const all = LISTED + MEASURED + (await coming);
    await listed(all);
    await expect.poll(() => live.rows.first().getAttribute("aria-setsize")).toBe(String(all));
    expect(await live.rows.count()).toBeLessThan(50);
    expect(live.errors).toEqual([]);
  });
});
