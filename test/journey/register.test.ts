import { createHmac } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { runCommandLine } from "../harness/command.ts";
import { rawEvent, signedForm } from "../harness/mandrill-post.ts";
import { runService } from "../harness/service.ts";

const API_KEY = "md-sample-api-key";
const EVERY_KIND = [
  ...["send", "deferral", "hard_bounce", "soft_bounce", "delivered", "open", "click", "spam", "unsub", "reject"],
  ...["blacklist", "whitelist"],
];

interface Webhook {
  readonly id: number;
  readonly url: string;
  readonly auth_key: string;
  readonly events: readonly string[];
}

/** Asks the URL as Mandrill does when a webhook is saved; the status of the first answer that is not 200. */
async function checkUrl(url: string): Promise<number> {
  // No test asks anybody outside this machine.
  if (new URL(url).hostname !== "127.0.0.1") return 530;
  const head = await fetch(url, { method: "HEAD" });
  if (head.status !== 200) return head.status;
  const post = await fetch(url, {
    method: "POST",
    body: new URLSearchParams({ mandrill_events: "[]" }),
    headers: {
      "x-mandrill-signature": createHmac("sha1", "test-webhook").update(`${url}mandrill_events[]`).digest("base64"),
    },
  });
  return post.status;
}

/** Stands in for Mandrill's API: its webhooks, its answers to a wrong key and to a URL that does not answer. */
async function runMandrillApi(registered: readonly Webhook[] = []) {
  const webhooks = [...registered];
  const calls: string[] = [];

  async function answer(path: string, body: Record<string, unknown>): Promise<[status: number, answer: unknown]> {
    const refuse = (code: number, name: string, message: string): [number, unknown] => [
      500,
      { status: "error", code, name, message },
    ];
    if (body.key !== API_KEY) return refuse(-1, "Invalid_Key", "Invalid API key");
    const { id, url, events } = body as { id: number; url: string; events: readonly string[] };
    switch (path) {
      case "/webhooks/list":
        return [200, webhooks];
      case "/webhooks/add": {
        const status = await checkUrl(url);
        if (status !== 200) return refuse(-2, "ValidationError", `The URL answered ${status}`);
        webhooks.push({ id: 7, url, auth_key: "the-webhook-key", events });
        return [200, webhooks.at(-1)];
      }
      case "/webhooks/update": {
        const place = webhooks.findIndex((webhook) => webhook.id === id);
        webhooks[place] = { ...(webhooks[place] as Webhook), url, events };
        return [200, webhooks[place]];
      }
      default:
        return [404, {}];
    }
  }

  const server = createServer(async (request, response) => {
    calls.push(request.url ?? "");
    const [status, body] = await answer(request.url ?? "", (await json(request)) as Record<string, unknown>);
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    webhooks,
    calls,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function temporaryFolder() {
  const path = await mkdtemp(join(tmpdir(), "mandrill-live-register-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

describe("npm run mandrill:register", () => {
  it("registers the URL for every kind of event, and sets the service up with --write-env", async () => {
    await using api = await runMandrillApi();
    await using folder = await temporaryFolder();
    const file = join(folder.path, ".env");
    await writeFile(
      file,
      `# Ours\nMANDRILL_API_KEY=${API_KEY}\nMANDRILL_WEBHOOK_KEYS="an old key"\nexport PORT=5000\nMANDRILL_WEBHOOK_KEYS=old\n`,
      { mode: 0o644 },
    );
    let url: string;
    {
      // Nothing is set up yet, as it is when a URL is first checked.
      await using service = await runService();
      url = `${service.url}/mandrill?a=1`;
      const { code, stdout, stderr } = await runCommandLine(
        "register",
        ["--url", url, "--api", api.url, "--write-env"],
        { folder: folder.path },
      );
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout).toContain("as webhook 7, for 12 kinds of event.\nIts key: the-webhook-key\n");
    }
    expect(api.webhooks).toEqual([{ id: 7, url, auth_key: "the-webhook-key", events: EVERY_KIND }]);
    expect(await readFile(file, "utf8")).toBe(
      `# Ours\nMANDRILL_API_KEY=${API_KEY}\nexport PORT=5000\nMANDRILL_WEBHOOK_KEYS=the-webhook-key\nMANDRILL_WEBHOOK_URLS=${url}\n`,
    );
    expect((await stat(file)).mode & 0o777).toBe(0o600);

    await using service = await runService({
      env: { MANDRILL_WEBHOOK_URLS: url, MANDRILL_WEBHOOK_KEYS: "the-webhook-key" },
    });
    const { body, headers } = signedForm([rawEvent("open")], { url, key: "the-webhook-key" });
    expect((await fetch(`${service.url}/mandrill`, { method: "POST", body, headers })).status).toBe(200);
  });

  it("takes what README.md says", async () => {
    await using api = await runMandrillApi();
    await using service = await runService();
    await using folder = await temporaryFolder();
    const readme = await readFile(new URL("../../README.md", import.meta.url), "utf8");
    const [, key = "", options = ""] = /^(MANDRILL_API_KEY)=\S+ npm run mandrill:register -- (.+)$/m.exec(readme) ?? [];
    const url = `${service.url}/mandrill`;
    const { code } = await runCommandLine("register", [...options.split(" "), "--url", url, "--api", api.url], {
      env: { [key]: API_KEY },
      folder: folder.path,
    });
    expect({ code, options }).toEqual({ code: 0, options: expect.stringContaining("--write-env") });
    expect(await readFile(join(folder.path, ".env"), "utf8")).toContain("MANDRILL_WEBHOOK_KEYS=the-webhook-key\n");
  });

  it("prints what to start the service with where it is not to write it", async () => {
    await using api = await runMandrillApi();
    await using service = await runService();
    const url = `${service.url}/mandrill`;
    const { code, stdout } = await runCommandLine("register", ["--url", url, "--api", api.url, "--api-key", API_KEY]);
    expect(code).toBe(0);
    expect(stdout).toContain(`  MANDRILL_WEBHOOK_URLS=${url}\n  MANDRILL_WEBHOOK_KEYS=the-webhook-key\n`);
  });

  it("registers no URL twice: gives the key, adds the kinds that it lacks, and keeps what .env has with --keep", async () => {
    const url = "https://mail.example.com/mandrill";
    await using api = await runMandrillApi([{ id: 3, url, auth_key: "its-key", events: ["send", "inbound"] }]);
    await using folder = await temporaryFolder();
    await writeFile(
      join(folder.path, ".env"),
      "MANDRILL_WEBHOOK_URLS=https://other.example.com/\nMANDRILL_WEBHOOK_KEYS=other\n",
    );
    const args = ["--url", url, "--api", api.url, "--api-key", API_KEY, "--write-env", "--keep"];
    const first = await runCommandLine("register", args, { folder: folder.path });
    expect(first).toMatchObject({ code: 0, stdout: expect.stringContaining("is registered already, as webhook 3;") });
    expect(first.stdout).toContain("Its key: its-key\n");
    expect(api.webhooks).toHaveLength(1);
    expect(new Set(api.webhooks[0]?.events)).toEqual(new Set([...EVERY_KIND, "inbound"]));
    const second = await runCommandLine("register", args, { folder: folder.path });
    expect(second.stdout).toContain("is registered already, as webhook 3, for all kinds of event.");
    expect(api.calls).toEqual(["/webhooks/list", "/webhooks/update", "/webhooks/list"]);
    expect(await readFile(join(folder.path, ".env"), "utf8")).toBe(
      `MANDRILL_WEBHOOK_URLS=https://other.example.com/,${url}\nMANDRILL_WEBHOOK_KEYS=other,its-key\n`,
    );
  });

  it("says in words what went wrong, writes nothing, tells no API key, and ends with 1", async () => {
    await using api = await runMandrillApi();
    await using service = await runService();
    await using folder = await temporaryFolder();
    const register = async (url: string, apiUrl: string, key: string): Promise<string> => {
      const args = ["--url", url, "--api", apiUrl, "--api-key", key, "--write-env"];
      const { code, stdout, stderr } = await runCommandLine("register", args, { folder: folder.path });
      expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
      expect(stderr).toMatch(/^mandrill:register: [^\n]+\n$/);
      expect(stderr).not.toContain(key);
      return stderr;
    };
    const good = `${service.url}/mandrill`;
    expect(await register(good, api.url, "another-api-key")).toContain("Mandrill does not know this API key.");
    expect(await register(`${service.url}/elsewhere`, api.url, API_KEY)).toMatch(
      /does not take .*: The URL answered 40\d\. This is an address of this machine alone: give it a tunnel/,
    );
    expect(await register("https://mail.example.com/mandrill", api.url, API_KEY)).toMatch(
      /The URL answered 530\. It asks the URL with HEAD, then with an empty POST/,
    );
    expect(await register(good, service.url, API_KEY)).toContain("Mandrill's API answered 404.");
    await service.stop();
    expect(await register(good, service.url, API_KEY)).toContain("cannot be reached (ECONNREFUSED).");
    await expect(stat(join(folder.path, ".env"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  it.each([
    [[], "--url is missing"],
    [["--url", "mail.example.com/mandrill"], "--url is [hidden]; allowed: an http:// or https:// URL without commas."],
    [["--url", "https://mail.example.com/mandrill"], "--api-key is missing, and MANDRILL_API_KEY is not set."],
    [["--url", "https://mail.example.com/mandrill", "--api-key", "k", "--keep"], "--keep goes with --write-env."],
  ])("answers %j with one sentence and 2", async (args, sentence) => {
    const { code, stderr } = await runCommandLine("register", args);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/^mandrill:register: [^\n]+\n$/) });
    expect(stderr).toContain(sentence);
  });
});
