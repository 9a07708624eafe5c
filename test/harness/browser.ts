import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { thisMachine } from "../setup/machine.ts";

/** A page in the machine's Chromium, with a profile of its own. */
export interface BrowserPage extends AsyncDisposable {
  readonly page: Page;
  /** URLs asked for that are not of `origin`. */
  readonly foreignRequests: readonly string[];
  /** What scripts threw, and what the console calls an error. */
  readonly errors: readonly string[];
}

/** Opens `url`. Chromium's own conversations with the outside are switched off. */
export async function openPage(url: string): Promise<BrowserPage> {
  const profile = await mkdtemp(join(tmpdir(), "mandrill-live-browser-"));
  const program = process.env.CHROMIUM || "chromium";
  const context: BrowserContext = await chromium.launchPersistentContext(profile, {
    executablePath: thisMachine().find(program) ?? program,
    headless: true,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  const page = context.pages()[0] ?? (await context.newPage());
  const foreignRequests: string[] = [];
  const errors: string[] = [];
  const { origin } = new URL(url);
  page.on("request", (request) => {
    const asked = request.url();
    if (/^(?:https?|wss?):/.test(asked) && !asked.startsWith(origin)) foreignRequests.push(asked);
  });
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  await page.goto(url);
  return {
    page,
    foreignRequests,
    errors,
    async [Symbol.asyncDispose]() {
      await context.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}
