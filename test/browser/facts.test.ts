import { beforeAll, describe, expect, it } from "vitest";
import { buildLivePage, type LivePage, openLivePage, postEvents } from "../harness/live-page.ts";
import { post, rawEvent, signedForm, unsignedForm } from "../harness/mandrill-post.ts";
import { runService } from "../harness/service.ts";

const MINUTE = 60;

beforeAll(buildLivePage);

/** What the page says under one of its headings. */
const fact = ({ page }: LivePage, name: string) => page.locator(".facts > div", { hasText: name }).locator("dd");

const plot = ({ page }: LivePage) => page.getByRole("img", { name: /^Events of the last hour: / });

/** Whether the plot has a pixel in the colour of a type. */
const isDrawn = (live: LivePage, type: string) =>
  plot(live)
    .locator("canvas")
    .evaluate((element, property) => {
      const canvas = element as HTMLCanvasElement;
      const probe = new OffscreenCanvas(1, 1).getContext("2d") as OffscreenCanvasRenderingContext2D;
      probe.fillStyle = getComputedStyle(canvas).getPropertyValue(property).trim();
      probe.fillRect(0, 0, 1, 1);
      const wanted = probe.getImageData(0, 0, 1, 1).data.join();
      const { data } = (canvas.getContext("2d") as CanvasRenderingContext2D).getImageData(
        0,
        0,
        canvas.width,
        canvas.height,
      );
      for (let at = 0; at < data.length; at += 4) if (data.subarray(at, at + 4).join() === wanted) return true;
      return false;
    }, `--type-${type}`);

describe("the live page says at a glance", () => {
  it("how late events come, and how long ago Mandrill posted", async () => {
    await using service = await runService();
    await using live = await openLivePage(service.url);
    expect(await fact(live, "Mandrill last posted").innerText()).toBe("not yet");
    const now = Math.floor(Date.now() / 1_000);
    const late = [1, 12, 12].map((minutes) => rawEvent("open", { ts: now - minutes * MINUTE - 30 }));
    await postEvents(service.url, ...late);
    await live.row("12 min late").nth(1).waitFor();
    expect(await live.rows.count()).toBe(3);
    expect(await live.row("late").count()).toBe(2);
    await fact(live, "Its events come")
      .filter({ hasText: /^12 min late$/ })
      .waitFor();
    await fact(live, "Mandrill last posted")
      .filter({ hasText: /^(?:[2-9]|[1-9]\d) s ago$/ })
      .waitFor();
    await post(service.url, unsignedForm({}));
    await fact(live, "Mandrill last posted")
      .filter({ hasText: /^(?:just now|\d+ s ago), refused$/ })
      .waitFor();
  });

  it("what came in the last hour, by type: before the page was opened, and from then on", async () => {
    await using service = await runService();
    await postEvents(service.url, rawEvent("open"));
    await using live = await openLivePage(service.url);
    await live.page.getByRole("img", { name: "Events of the last hour: 1 open" }).waitFor();
    await expect.poll(() => isDrawn(live, "open")).toBe(true);
    expect(await isDrawn(live, "click")).toBe(false);
    await postEvents(service.url, rawEvent("click"), rawEvent("open", { ip: "192.0.2.9" }));
    await live.page.getByRole("img", { name: "Events of the last hour: 2 open, 1 click" }).waitFor();
    await expect.poll(() => isDrawn(live, "click")).toBe(true);
    await fact(live, "In the last hour")
      .filter({ hasText: /^3 events$/ })
      .waitFor();
    await live.page.getByRole("button", { name: /^click/ }).click();
    await live.page.getByRole("img", { name: "Events of the last hour: 1 click" }).waitFor();
    await fact(live, "In the last hour")
      .filter({ hasText: /^1 event$/ })
      .waitFor();
    await expect.poll(() => isDrawn(live, "open")).toBe(false);
  });

  it("under which URLs a signature was tried that fits none, and what to compare", async () => {
    const url = "https://user:word@mail.example.com/mandrill";
    await using service = await runService({ env: { MANDRILL_WEBHOOK_KEYS: "a-key", MANDRILL_WEBHOOK_URLS: url } });
    await using live = await openLivePage(service.url);
    const mistyped = signedForm([rawEvent("open")], { url: `${url}/`, key: "a-key" });
    expect((await post(service.url, mistyped)).status).toBe(401);
    const notice = live.page.getByRole("region", { name: "Notices" });
    await notice.getByText("Configured: https://***@mail.example.com/mandrill").waitFor();
    await notice.getByText("letter by letter").waitFor();
    expect(await live.page.content()).not.toMatch(/user:word|a-key/);
  });
});

it("setting a filter moves nothing: there is room for what clears it", async () => {
  await using service = await runService();
  await using live = await openLivePage(service.url);
  await live.page.setViewportSize({ width: 1280, height: 800 });
  await postEvents(service.url, rawEvent("open"));
  await live.rows.first().waitFor();
  const toolbar = live.page.locator(".events > .toolbar");
  const before = await toolbar.boundingBox();
  await live.page.getByRole("button", { name: /^open/ }).click();
  await live.button("Clear filters").waitFor();
  expect(await toolbar.boundingBox()).toEqual(before);
});
