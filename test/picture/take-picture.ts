import { stat } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { EventType } from "../../src/event/event-type.ts";
import { buildLivePage, openLivePage } from "../harness/live-page.ts";
import { post, type RawEvent, rawEvent, rawEvents, unsignedForm } from "../harness/mandrill-post.ts";
import { spawnService } from "../harness/service-process.ts";
import { pictureTime } from "./picture-time.ts";

/**
 * Takes the picture of the live page that README.md shows: `npm run page:picture`, or with a file name and `dark`.
 * Posts an hour's events in half a minute, to a service whose clock runs as fast.
 */

const [file = fileURLToPath(new URL("../../docs/live-page.png", import.meta.url)), scheme] = process.argv.slice(2);
const SPEED = 150;
const PRELOAD = new URL("./hour-in-seconds.ts", import.meta.url).href;
/** What a reader of the README can take in, at half its size. Pixels. */
const SIZE = { width: 1240, height: 820 };

const start = Date.now();
const clock = (): number => pictureTime(Date.now(), start, SPEED);
await buildLivePage();
await using service = await spawnService({
  env: { NODE_OPTIONS: `--import=${PRELOAD}`, CLOCK_START: String(start), CLOCK_SPEED: String(SPEED) },
});
for (let step = 0; clock() < Date.now() - 1; step += 1) {
  const events = rawEvents(batchSize(step), step + 1).map(withTime);
  await post(service.url, unsignedForm(events));
  await wait(200);
}
await using live = await openLivePage(service.url);
await live.page.emulateMedia({ colorScheme: scheme === "dark" ? "dark" : "light" });
await live.page.setViewportSize(SIZE);
await post(service.url, unsignedForm(messageLife()));
await post(service.url, { body: "", headers: { "content-type": "text/plain" } });
await post(service.url, unsignedForm(rawEvents(3, 900).map(withTime)));
await live.row("ada@example.com").first().click();
await live.page.getByRole("dialog").getByText("https://example.com/orders/4711").waitFor();
await live.page.getByText("UNSUPPORTED_MEDIA_TYPE").first().waitFor();
await live.page.mouse.move(0, 0);
await live.page.screenshot({ path: file });
process.stdout.write(`${file}: ${Math.round((await stat(file)).size / 1024)} kB\n`);

/** A calm day with a mailing in it. */
function batchSize(step: number): number {
  return Math.round(8 + 4 * Math.sin(step / 9) + 42 * Math.exp(-(((step - 62) / 16) ** 2)));
}

function withTime(event: RawEvent, index: number): RawEvent {
  return { ...event, ts: Math.floor(clock() / 1_000) - 3 - (index % 7) };
}

function messageLife(): RawEvent[] {
  const msg = {
    _id: "4cf1a0d29b6e4f0c",
    email: "ada@example.com",
    subject: "Your order 4711 is on its way",
    tags: ["order-shipped"],
    subaccount: null,
  };
  const steps: readonly (readonly [EventType, number])[] = [
    ["send", 340],
    ["delivered", 337],
    ["open", 62],
    ["click", 4],
  ];
  return steps.map(([type, seconds]) => {
    const url = type === "click" ? { url: "https://example.com/orders/4711" } : {};
    return rawEvent(type, { ts: Math.floor(Date.now() / 1_000) - seconds, _id: msg._id, msg, ...url });
  });
}
