import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { openPage } from "../harness/browser.ts";
import { buildLivePage, livePage, openLivePage, postEvents } from "../harness/live-page.ts";
import { post, rawEvent, unsignedForm } from "../harness/mandrill-post.ts";
import { runService } from "../harness/service.ts";

/** Milliseconds. */
const AT_ONCE = 1_000;

beforeAll(buildLivePage);

function about(email: string, { type = "open", tag }: { type?: "open" | "click" | "send"; tag?: string } = {}) {
  return rawEvent(type, {
    _id: `message-to-${email}`,
    msg: { _id: `message-to-${email}`, email, tags: tag ? [tag] : [] },
  });
}

/** The service's port, for another one to take its place. */
function portOf(url: string): string {
  return new URL(url).port;
}

describe("the live page", () => {
  it("shows a posted event within a second, and asks nobody else for anything", async () => {
    await using service = await runService();
    await using live = await openLivePage(service.url);
    const delays: number[] = [];
    for (const name of ["ada", "grace", "alan", "edsger", "barbara"]) {
      const postedAt = performance.now();
      await postEvents(service.url, about(`${name}@example.com`));
      await live.row(`${name}@example.com`).waitFor();
      delays.push(performance.now() - postedAt);
    }
    // The median: another test may be starting its browser just then.
    expect(delays.sort((a, b) => a - b)[2]).toBeLessThan(AT_ONCE);
    expect(await live.rows.locator(".email").allTextContents()).toEqual(
      ["barbara", "edsger", "alan", "grace", "ada"].map((name) => `${name}@example.com`),
    );
    await live.page.getByText("just now").waitFor();
    expect([live.foreignRequests, live.errors]).toEqual([[], []]);
  });

  it("shows how to begin while there is nothing, and its own curl brings the first event", async () => {
    await using service = await runService();
    await using live = await openLivePage(service.url);
    const curl = await live.page.locator("pre").innerText();
    const [, url, body] = /^curl (\S+) .* -d '([\s\S]*)'$/.exec(curl) ?? [];
    expect(url).toBe(`${service.url}/mandrill/`);
    await live.page.getByText("Settings → Webhooks").waitFor();
    await postEvents(service.url, ...JSON.parse(body ?? ""));
    await live.row("click").waitFor();
    await expect.poll(() => live.rows.count()).toBe(2);
  });

  it("filters by type, recipient and tag, and its link keeps the filters", async () => {
    await using service = await runService();
    await postEvents(
      service.url,
      about("ada@example.com"),
      about("ada@example.com", { type: "click", tag: "welcome" }),
    );
    await using live = await openLivePage(service.url);
    await live.row("open").waitFor();
    await live.page.getByRole("button", { name: /^click/ }).click();
    await live.row("open").waitFor({ state: "detached" });
    await live.page.getByLabel("Recipient").fill("ADA@example.com");
    await live.page.getByLabel("Recipient").press("Enter");
    await live.page.getByLabel("Tag").fill("welcome");
    await live.page.getByLabel("Tag").press("Enter");
    await live.page.waitForURL("**/?types=click&email=ADA@example.com&tag=welcome");

    // What is excluded comes first: had it been let in, it would be there.
    const excluded = [
      about("ada@example.com", { tag: "welcome" }),
      about("grace@example.com", { type: "click", tag: "welcome" }),
      about("ada@example.com", { type: "click" }),
    ];
    const included = { ...about("ada@example.com", { type: "click", tag: "welcome" }), url: "https://example.com/new" };
    await postEvents(service.url, ...excluded, included);
    await live.row("https://example.com/new").waitFor();
    expect(await live.rows.count()).toBe(2);

    await live.page.reload();
    await live.row("https://example.com/new").waitFor();
    expect(await live.rows.count()).toBe(2);
    expect(await live.page.getByLabel("Tag").inputValue()).toBe("welcome");
    await live.button("Clear filters").click();
    await live.row("grace@example.com").waitFor();
    await expect.poll(() => live.rows.count()).toBe(6);
    expect(new URL(live.page.url()).search).toBe("");
    await live.page.goBack();
    await live.row("grace@example.com").waitFor({ state: "detached" });
    await expect.poll(() => live.rows.count()).toBe(2);
  });

  it("survives a restart of the service without a row lost or doubled, and says so", async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "mandrill-live-restart-"));
    try {
      const first = await runService({ dataDir });
      await using live = await openLivePage(first.url);
      await postEvents(first.url, about("one@example.com"), about("two@example.com"));
      await live.row("two@example.com").waitFor();
      await first.stop();
      await live.connection.filter({ hasText: "Connection lost" }).waitFor();
      await using second = await runService({ dataDir, env: { PORT: portOf(first.url) } });
      await postEvents(second.url, about("three@example.com"));
      await postEvents(second.url, about("four@example.com"));
      await live.connection.filter({ hasText: "nothing is missing" }).waitFor();
      await postEvents(second.url, about("five@example.com"));
      await live.row("five@example.com").waitFor();
      expect(await live.rows.locator(".email").allTextContents()).toEqual(
        ["five", "four", "three", "two", "one"].map((name) => `${name}@example.com`),
      );
    } finally {
      await rm(dataDir, { recursive: true });
    }
  });

  it("tells a gap: the log behind the service is another one", async () => {
    const first = await runService();
    await using live = await openLivePage(first.url);
    await postEvents(first.url, about("lost@example.com"));
    await live.row("lost@example.com").waitFor();
    await first.stop();
    await using second = await runService({ env: { PORT: portOf(first.url) } });
    await postEvents(second.url, about("kept@example.com"));
    await live.page.getByText("Events may be missing from what you saw.").waitFor();
    await live.row("kept@example.com").waitFor();
    expect(await live.rows.count()).toBe(1);
    await live.button("Understood").click();
    await live.page.getByText("Events may be missing").waitFor({ state: "detached" });
  });

  it("shows why a request to the webhook was refused", async () => {
    await using service = await runService({
      env: { MANDRILL_WEBHOOK_KEYS: "a-key", MANDRILL_WEBHOOK_URLS: "https://mail.example.com/mandrill" },
    });
    await using live = await openLivePage(service.url);
    expect((await post(service.url, unsignedForm([about("ada@example.com")]))).status).toBe(401);
    const refused = live.page.getByRole("list", { name: "Webhook requests" }).getByRole("listitem");
    await refused.filter({ hasText: "SIGNATURE_MISSING" }).waitFor();
    expect(await refused.count()).toBe(1);
    expect(await refused.innerText()).toMatch(/^401\s+SIGNATURE_MISSING[\s\S]+signature/i);
    await live.page.getByText("The webhook’s latest request was refused: 401 SIGNATURE_MISSING.").waitFor();
  });

  it("shows a message's life when its row is picked, and what comes meanwhile", async () => {
    await using service = await runService();
    await using live = await openLivePage(service.url, "?types=send");
    const life = (["send", "delivered", "open"] as const).map((type, step) =>
      rawEvent(type, { ts: 1_760_000_000 + step * 60, _id: "m-1", msg: { _id: "m-1", email: "ada@example.com" } }),
    );
    await postEvents(service.url, ...life);
    await live.row("send").click();
    const steps = live.page.getByRole("dialog", { name: "Message" }).locator(".life strong");
    await steps.nth(2).waitFor();
    expect(await steps.allTextContents()).toEqual(["send", "delivered", "open"]);
    expect(new URL(live.page.url()).searchParams.get("message")).toBe("m-1");
    const click = { url: "https://example.com/clicked", _id: "m-1", msg: { _id: "m-1", email: "ada@example.com" } };
    await postEvents(service.url, rawEvent("click", click));
    await live.page.getByRole("dialog").getByText("https://example.com/clicked").waitFor();
    await live.page.keyboard.press("Escape");
    await live.page.getByRole("dialog").waitFor({ state: "detached" });
    expect([live.foreignRequests, live.errors]).toEqual([[], []]);
  });

  it("picks the row on which the pointer went down, though others come before it goes up", async () => {
    await using service = await runService();
    await using live = await openLivePage(service.url);
    const { mouse } = live.page;
    await postEvents(service.url, about("below@example.com"), about("ada@example.com"));
    await live.rows.nth(1).waitFor();
    const box = await live.row("ada@example.com").boundingBox();
    const [x, y] = [(box?.x ?? 0) + 20, (box?.y ?? 0) + (box?.height ?? 0) / 2];
    const press = async (email: string, upAt: number): Promise<void> => {
      await mouse.move(x, y);
      await mouse.down();
      await postEvents(service.url, about(email));
      await live.row(email).waitFor();
      await mouse.move(x, upAt);
      await mouse.up();
    };
    await press("first@example.com", y);
    const message = live.page.getByRole("dialog", { name: "Message" });
    await message.getByText("ada@example.com").first().waitFor();
    await live.page.keyboard.press("Escape");
    await message.waitFor({ state: "detached" });
    // Who draws the pointer away has thought better of it.
    const nothingPicked = live.page.url();
    await press("second@example.com", y + 2 * (box?.height ?? 0));
    expect(live.page.url()).toBe(nothingPicked);
  });

  it("holds its rows while it is paused, and goes on where it was", async () => {
    await using service = await runService();
    await using live = await openLivePage(service.url);
    await postEvents(service.url, about("before@example.com"));
    await live.row("before@example.com").waitFor();
    await live.button("Pause").click();
    await live.page.getByText("Paused. Nothing new yet.").waitFor();
    await postEvents(service.url, about("meanwhile@example.com"), about("also@example.com"));
    await live.button("2 new events").waitFor();
    expect(await live.rows.count()).toBe(1);
    const [news, row] = [await live.button("2 new events").boundingBox(), await live.rows.boundingBox()];
    expect((news?.y ?? 0) + (news?.height ?? 0)).toBeLessThanOrEqual(row?.y ?? 0);
    await live.button("2 new events").click();
    await live.row("meanwhile@example.com").waitFor();
    await expect.poll(() => live.rows.count()).toBe(3);
  });

  it("is used by keyboard: arrows go from row to row, Enter picks, Escape lets go", async () => {
    await using service = await runService();
    await postEvents(service.url, about("second@example.com"), about("first@example.com"));
    await using live = await openLivePage(service.url);
    await live.row("first@example.com").waitFor();
    await live.page.getByRole("listbox").focus();
    await live.page.keyboard.press("ArrowDown");
    await live.page.keyboard.press("ArrowDown");
    await live.page.keyboard.press("Enter");
    await live.page.getByRole("dialog").getByText("second@example.com", { exact: true }).waitFor();
    expect(await live.row("second@example.com").getAttribute("aria-selected")).toBe("true");
    await live.page.keyboard.press("Escape");
    await live.page.getByRole("dialog").waitFor({ state: "detached" });
  });

  it.each([1280, 360])("gives the list its focus back when a message is closed, %i pixels wide", async (width) => {
    await using service = await runService();
    await postEvents(service.url, about("second@example.com"), about("first@example.com"));
    await using live = await openLivePage(service.url);
    await live.page.setViewportSize({ width, height: 740 });
    await live.row("first@example.com").waitFor();
    await live.page.getByRole("listbox").focus();
    for (const email of ["first@example.com", "second@example.com"]) {
      await live.page.keyboard.press("ArrowDown");
      await live.page.keyboard.press("Enter");
      await live.page.getByRole("dialog").getByText(email, { exact: true }).waitFor();
      await live.button("Close").focus();
      await live.page.keyboard.press(email === "first@example.com" ? "Escape" : "Enter");
      await live.page.getByRole("dialog").waitFor({ state: "detached" });
    }
    expect(await live.page.evaluate(() => document.activeElement?.role)).toBe("listbox");
  });

  it("fetches what is older when somebody scrolls to the end", async () => {
    await using service = await runService();
    const events = Array.from({ length: 150 }, (_, index) => about(`number-${index}@example.com`));
    await postEvents(service.url, ...events);
    await using live = await openLivePage(service.url);
    await live.row("number-149@example.com").waitFor();
    await live.page.getByRole("listbox").focus();
    await live.page.keyboard.press("End");
    // The older ones are there before the end is gone to again: until then it is where the first page ends.
    await live.page.locator('[role="option"][aria-setsize="150"]').first().waitFor();
    await live.page.keyboard.press("End");
    await live.row("number-0@example.com").waitFor();
  });

  it("keeps up with a thousand events that come at once, and drops none", async () => {
    await using service = await runService();
    await using live = await openLivePage(service.url);
    for (let batch = 1; batch <= 10; batch += 1) {
      await postEvents(
        service.url,
        ...Array.from({ length: 100 }, (_, i) => about(`number-${batch}-${i}@example.com`)),
      );
    }
    await live.row("number-10-99@example.com").waitFor();
    expect(await live.rows.first().getAttribute("aria-setsize")).toBe("1000");
    await live.page.getByText("1,000 events").waitFor();
    expect(await live.rows.count()).toBeLessThan(50);
  });

  it("works where only persisted operations are executed, without being among them", async () => {
    const folder = await mkdtemp(join(tmpdir(), "mandrill-live-persisted-"));
    try {
      const file = join(folder, "operations.json");
      await writeFile(file, "{}");
      await using service = await runService({ env: { PERSISTED_OPERATIONS: file } });
      await using live = await openLivePage(service.url);
      const answers: string[] = [];
      live.page.on("response", async (response) => {
        if (response.url().endsWith("/graphql")) answers.push(await response.text().catch(String));
      });
      await postEvents(
        service.url,
        about("ada@example.com"),
        rawEvent("blacklist", { reject: { email: "listed@example.com" } }),
      );
      // The newest, which comes above: until then the row below may move on from under a click.
      await live.rows.nth(1).waitFor();
      await live.row("ada@example.com").click();
      await live.page.getByRole("dialog", { name: "Message" }).locator(".life strong").waitFor();
      await postEvents(service.url, about("ada@example.com", { type: "click" }));
      await live.page.getByRole("dialog").locator(".life strong").nth(1).waitFor();
      await live.page.reload();
      await live.row("click").waitFor();
      await live.row("listed@example.com").click();
      await live.page.getByRole("dialog").locator(".life strong").waitFor();
      await live.page.getByRole("list", { name: "Webhook requests" }).getByRole("listitem").first().waitFor();
      expect(answers.filter((answer) => answer.includes("errors"))).toEqual([]);
      expect(live.errors).toEqual([]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("asks for a token where reading needs one, and shows everything with it", async () => {
    await using service = await runService({ env: { ACCESS_TOKENS: "the-right-token" } });
    await using browser = await openPage(service.url);
    const live = livePage(browser);
    await postEvents(service.url, about("ada@example.com"));
    const token = live.page.getByLabel("Token");
    await token.fill("a-wrong-token");
    await live.button("Log in").click();
    await live.page.getByRole("alert").waitFor();
    await token.fill("the-right-token");
    await token.press("Enter");
    await live.row("ada@example.com").waitFor();
    await live.connection.filter({ hasText: "Live" }).waitFor();
    await postEvents(service.url, about("grace@example.com"));
    await live.row("grace@example.com").waitFor();
    await live.button("Log out").click();
    await token.waitFor();
  });
});

describe("the live page is for everybody", () => {
  /** What axe calls so is a barrier; what is below is a matter of taste. */
  const BARRIERS = new Set(["serious", "critical"]);

  it.each(["light", "dark"] as const)("axe finds nothing serious in the %s scheme", async (colorScheme) => {
    const axe = await readFile(fileURLToPath(import.meta.resolve("axe-core/axe.min.js")), "utf8");
    await using service = await runService();
    await using live = await openLivePage(service.url);
    await live.page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    const barriers = async (): Promise<unknown> => {
      await live.page.evaluate(axe);
      const { violations } = await live.page.evaluate(() =>
        (globalThis as unknown as { axe: { run(): Promise<{ violations: AxeViolation[] }> } }).axe.run(),
      );
      return violations.filter(({ impact }) => BARRIERS.has(impact)).map(({ id, nodes }) => [id, nodes[0]?.html]);
    };
    expect(await barriers()).toEqual([]);
    await post(service.url, { body: "nothing", headers: { "content-type": "application/x-www-form-urlencoded" } });
    await postEvents(service.url, about("ada@example.com", { tag: "welcome" }), rawEvent("hard_bounce"));
    // The newest, which comes above: until then the row below may move on from under a click.
    await live.rows.nth(1).waitFor();
    await live.row("ada@example.com").click();
    await live.page.getByRole("dialog").getByText("welcome").waitFor();
    await live.page.getByText("BATCH_MALFORMED").first().waitFor();
    expect(await barriers()).toEqual([]);
  });

  it("fits a screen that is 360 pixels wide, with and without a message picked", async () => {
    await using service = await runService();
    await postEvents(service.url, about("a-rather-long-address-of-somebody@mail.example.com", { tag: "welcome" }));
    await using live = await openLivePage(service.url);
    await live.page.setViewportSize({ width: 360, height: 740 });
    const widest = () => live.page.evaluate(() => document.documentElement.scrollWidth);
    await live.row("a-rather-long-address").waitFor();
    expect(await widest()).toBe(360);
    await live.row("a-rather-long-address").click();
    await live.page.getByRole("dialog").getByText("a-rather-long-address").first().waitFor();
    expect(await widest()).toBe(360);
    await live.button("Close").click();
    await live.page.getByRole("dialog").waitFor({ state: "detached" });
    expect(live.errors).toEqual([]);
  });
});

interface AxeViolation {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string }[];
}
