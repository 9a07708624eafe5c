import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Locator, Page } from "playwright-core";
import { type BrowserPage, openPage } from "./browser.ts";
import { jsonBatch, post, type RawEvent } from "./mandrill-post.ts";

const BUILDER = fileURLToPath(new URL("../../src/command/build-page.ts", import.meta.url));

/** The live page in a browser, by what a person sees and does there. */
export interface LivePage extends BrowserPage {
  readonly rows: Locator;
  row(text: string): Locator;
  button(name: string): Locator;
  /** What the page says of its connection. */
  readonly connection: Locator;
}

/** Builds the page where that is needed: a test is not to begin with the notice that it is being built. */
export async function buildLivePage(): Promise<void> {
  await promisify(execFile)(process.execPath, [BUILDER]);
}

/** Opens the page of the service at `url`; resolves when it is connected. */
export async function openLivePage(url: string, search = ""): Promise<LivePage> {
  const browser = await openPage(`${url}/${search}`);
  await connected(browser.page).waitFor();
  return livePage(browser);
}

/** The same for a page that is open, connected or not. */
export function livePage(browser: BrowserPage): LivePage {
  const { page } = browser;
  return {
    ...browser,
    rows: page.getByRole("option"),
    row: (text) => page.getByRole("option").filter({ hasText: text }),
    button: (name) => page.getByRole("button", { name, exact: true }),
    connection: page.getByRole("status"),
  };
}

function connected(page: Page): Locator {
  return page.getByRole("status").filter({ hasText: "Live" });
}

/** Posts events as one writes them by hand. */
export async function postEvents(url: string, ...events: readonly RawEvent[]): Promise<void> {
  const { status } = await post(url, jsonBatch(events));
  if (status !== 200) throw new Error(`the webhook answered ${status}`);
}
