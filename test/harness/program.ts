import { spawn } from "node:child_process";
import { once } from "node:events";
import { openPage } from "./browser.ts";

/** A program under way. */
export interface Program extends AsyncDisposable {
  /** What it has printed so far, errors included. */
  readonly printed: string;
  readonly hasEnded: boolean;
  /** Resolves once it has printed this. Rejects where it ends first. */
  prints(part: string): Promise<void>;
}

/** Starts a program as a process of its own. */
export function startProgram(command: string, args: readonly string[], cwd: string): Program {
  const child = spawn(command, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
  // A test that is broken off leaves nothing running.
  const killWithTests = (): void => void child.kill("SIGKILL");
  process.once("exit", killWithTests);
  const output = new Output(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  const ended = once(child, "close")
    .catch((error: unknown) => output.add(String(error)))
    .finally(() => {
      process.off("exit", killWithTests);
      output.end();
    });
  child.stdout.on("data", (chunk) => output.add(String(chunk)));
  child.stderr.on("data", (chunk) => output.add(String(chunk)));
  return output;
}

/** Starts a script in a browser, in a page of `url`; it prints to the console. */
export async function startInBrowser(script: string, url: string): Promise<Program> {
  const browser = await openPage(url);
  const output = new Output(() => Promise.resolve(browser[Symbol.asyncDispose]()));
  browser.page.on("console", (message) => output.add(`${message.text()}\n`));
  browser.page.on("pageerror", (error) => output.add(`${error.message}\n`));
  browser.page.once("close", () => output.end());
  // As a developer's console would: a page's Content-Security-Policy has no say in it.
  await browser.page.evaluate(script);
  return output;
}

class Output implements Program {
  readonly #dispose: () => Promise<void>;
  #printed = "";
  #hasEnded = false;
  #wake = (): void => {};

  constructor(dispose: () => Promise<void>) {
    this.#dispose = dispose;
  }

  get printed(): string {
    return this.#printed;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  add(text: string): void {
    this.#printed += text;
    this.#wake();
  }

  end(): void {
    this.#hasEnded = true;
    this.#wake();
  }

  async prints(part: string): Promise<void> {
    while (!this.#printed.includes(part)) {
      if (this.#hasEnded) throw new Error(`the program has ended without printing ${part}:\n${this.#printed}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#dispose();
  }
}
