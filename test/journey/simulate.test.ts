import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { runCommandLine, startCommand } from "../harness/command.ts";
import { runService } from "../harness/service.ts";
import { findPython } from "../setup/prerequisites.ts";

const SIMULATE = fileURLToPath(new URL("../../src/command/simulate.ts", import.meta.url));

const WEBHOOK = "https://user:word@mail.example.com/mandrill?tenant=1";
const SIGNED = { MANDRILL_WEBHOOK_URLS: WEBHOOK, MANDRILL_WEBHOOK_KEYS: "a-key" };

interface Node {
  readonly type: string;
  readonly messageId: string | null;
}

/** Everything that the service holds, oldest first. */
async function eventsOf(url: string): Promise<readonly Node[]> {
  const nodes: Node[] = [];
  for (let after: string | null = null; ; ) {
    const query = `query ($after: Cursor) { recentEvents(first: 500, after: $after) {
      nodes { type messageId } pageInfo { hasNextPage endCursor } } }`;
    const response = await fetch(`${url}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ query, variables: { after } }),
    });
    const { data } = (await response.json()) as {
      data: { recentEvents: { nodes: Node[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } } };
    };
    nodes.push(...data.recentEvents.nodes);
    if (!data.recentEvents.pageInfo.hasNextPage) return nodes.reverse();
    after = data.recentEvents.pageInfo.endCursor;
  }
}

/** The rows of the summary. */
function summaryOf(stdout: string): Record<string, string> {
  return Object.fromEntries([...stdout.matchAll(/^ {2}(\S.*?) {2,}(.+)$/gm)].map(([, name, value]) => [name, value]));
}

/** A receiver that answers each request as it is told, the last answer again and again. */
async function runReceiver(answers: readonly { status: number; body: string }[]) {
  const requests: { readonly headers: IncomingMessage["headers"]; readonly body: string }[] = [];
  const server = createServer(async (request, response) => {
    requests.push({ headers: request.headers, body: await text(request) });
    const { status, body } = answers[Math.min(requests.length, answers.length) - 1] as { status: number; body: string };
    response.writeHead(status, { location: "/elsewhere" }).end(body);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    requests,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mandrill`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe("npm run simulate", () => {
  it("posts to the service of this machine as its .env sets it up, each message's life in order", async () => {
    await using service = await runService({ env: SIGNED });
    await writeFile(
      join(service.dataDir, ".env"),
      `PORT=${new URL(service.url).port}\nMANDRILL_WEBHOOK_URLS=${WEBHOOK}\nMANDRILL_WEBHOOK_KEYS=a-key\n`,
    );
    const args = ["--rate", "2000", "--count", "1500", "--seed", "7"];
    const { code, stdout, stderr } = await runCommandLine("simulate", args, { folder: service.dataDir });
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining("signed, seed 7") });
    expect(summaryOf(stdout)).toMatchObject({
      posted: expect.stringMatching(/^1500 events in \d+ batches/),
      acknowledged: "1500 events",
      duplicates: "0, as the service counted",
      "given up": "0 events",
      seed: "7",
    });
    const events = await eventsOf(service.url);
    expect(events).toHaveLength(1_500);
    const lives = Map.groupBy(
      events.filter(({ messageId }) => messageId !== null),
      ({ messageId }) => messageId,
    );
    for (const life of lives.values()) {
      const types = life.map(({ type }) => type);
      expect(types.join(" ")).toMatch(
        /^(?:reject|send(?: hard_bounce|(?: deferral)*(?: soft_bounce| delivered(?: open(?: click)?)*(?: spam| unsub)?)?)?)$/,
      );
    }
    const kinds = new Set(events.map(({ type }) => type));
    for (const kind of ["send", "deferral", "hard_bounce", "soft_bounce", "delivered", "open", "click", "blacklist"]) {
      expect(kinds).toContain(kind);
    }
    expect(kinds).not.toContain("other");
  });

  it("posts only the kinds that are asked for, and some of it twice", async () => {
    await using service = await runService();
    const { code, stdout } = await runCommandLine("simulate", [
      ...["--url", `${service.url}/mandrill`, "--rate", "5000", "--count", "1000"],
      ...["--types", "open,click", "--duplicates", "5%"],
    ]);
    const { acknowledged = "", duplicates = "" } = summaryOf(stdout);
    const repeated = Number.parseInt(duplicates, 10);
    expect(code).toBe(0);
    expect(repeated).toBeGreaterThanOrEqual(40);
    expect(repeated).toBeLessThanOrEqual(50);
    expect(acknowledged).toBe(`${1_000 + repeated} events`);
    const events = await eventsOf(service.url);
    expect(events).toHaveLength(1_000);
    expect(new Set(events.map(({ type }) => type))).toEqual(new Set(["open", "click"]));
  });

  it("posts the same batch again while it is not answered 200, and says why once", async () => {
    await using receiver = await runReceiver([
      { status: 503, body: '{"code":"LOG_UNAVAILABLE","message":"No disk."}' },
      { status: 302, body: "" },
      { status: 202, body: "" },
      { status: 200, body: "thanks" },
    ]);
    const target = receiver.url.replace("http://", "http://user:word@");
    const { code, stdout, stderr } = await runCommandLine("simulate", ["--url", target, "--count", "1"]);
    expect(code).toBe(0);
    expect(receiver.requests).toHaveLength(4);
    expect(new Set(receiver.requests.map(({ body }) => body)).size).toBe(1);
    expect(receiver.requests[0]?.headers).toMatchObject({
      authorization: `Basic ${Buffer.from("user:word").toString("base64")}`,
      "user-agent": "Mandrill-Webhook/1.0",
    });
    expect(stderr).toContain("Not taken (503 LOG_UNAVAILABLE: No disk.): the same batch again until it is.");
    expect(stderr).toContain("Taken again.");
    expect(stderr).not.toContain("user:word");
    expect(summaryOf(stdout)).toMatchObject({ retries: "3", duplicates: "not told by the service" });
  });

  it("tells a wrong key in the service's words, gives up where it is told to, and ends with 1", async () => {
    await using service = await runService({ env: SIGNED });
    const url = `${service.url}/mandrill`;
    const wrong = await runCommandLine("simulate", ["--url", url, "--key", "another-key", "--retries", "1"], {
      env: { MANDRILL_WEBHOOK_URLS: WEBHOOK },
    });
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining("401 SIGNATURE_MISMATCH") });
    expect(summaryOf(wrong.stdout)).toMatchObject({ acknowledged: "0 events", retries: "1" });
    const none = await runCommandLine("simulate", ["--url", url, "--retries", "0", "--rate", "1000", "--count", "200"]);
    expect(none).toMatchObject({ code: 1, stderr: expect.stringContaining("Give the webhook's key with --key") });
    expect(none.stderr.match(/Given up \(401 SIGNATURE_MISSING/g)).toHaveLength(1);
    const right = await runCommandLine("simulate", [
      ...["--url", url, "--signed-url", WEBHOOK, "--key", "a-key", "--count", "1"],
    ]);
    expect(right.code).toBe(0);
  });

  it("needs no arguments: on a terminal it shows how far it is, and sums up when it is stopped", async () => {
    await using service = await runService();
    const terminal = ["-c", "import pty, sys; pty.spawn(sys.argv[1:])"];
    const child = spawn(findPython(), [...terminal, process.execPath, SIMULATE], {
      cwd: service.dataDir,
      env: { PATH: process.env.PATH, PORT: new URL(service.url).port },
    });
    onTestFinished(() => void child.kill());
    let shown = "";
    await new Promise<void>((resolve) => {
      child.stdout.on("data", (chunk) => {
        shown += chunk;
        if (/█+░+ [1-9]\d*\/1000 events/.test(shown)) resolve();
      });
    });
    child.stdin.write("\x03");
    await once(child, "close");
    const { posted, acknowledged = "" } = summaryOf(shown.replaceAll("\r\n", "\n"));
    expect(posted).toMatch(/^\d+ events in \d+ batches/);
    expect(Number.parseInt(acknowledged, 10)).toBeGreaterThan(0);
    // The batch that was under way when it was stopped may have been taken all the same.
    expect((await eventsOf(service.url)).length).toBeGreaterThanOrEqual(Number.parseInt(acknowledged, 10));
  });

  it("goes on until it is stopped with --forever, and sums up", async () => {
    await using receiver = await runReceiver([{ status: 200, body: '{"received":1,"appended":1,"duplicates":0}' }]);
    const { child, ended } = await startCommand("simulate", ["--url", receiver.url, "--forever", "--rate", "1000"]);
    await once(child.stderr, "data");
    child.kill("SIGINT");
    const { code, stdout } = await ended;
    expect(code).toBe(summaryOf(stdout)["given up"] === "0 events" ? 0 : 1);
    expect(summaryOf(stdout).posted).toMatch(/^\d+ events in \d+ batches/);
  });

  it.each([
    [["--rate", "fast"], '--rate is "fast"; allowed: events a second, more than 0 and up to 100000'],
    [["--duplicates", "101%"], '--duplicates is "101%"; allowed: 0% to 100%.'],
    [["--types", "open,opened"], '--types is "open,opened"; allowed: send, deferral'],
    [["--forever", "--count", "5"], "--forever and --count exclude each other."],
    [["--speed", "9"], "Unknown option '--speed'. --help lists the options."],
    [["5"], "Unexpected argument '5'"],
  ])("answers %j with one sentence and 2", async (args, sentence) => {
    const { code, stdout, stderr } = await runCommandLine("simulate", args);
    expect({ code, stdout, stderr }).toEqual({
      code: 2,
      stdout: "",
      stderr: expect.stringMatching(/^simulate: [^\n]+\n$/),
    });
    expect(stderr).toContain(sentence);
  });

  it("takes what README.md says", async () => {
    await using service = await runService();
    const readme = await readFile(new URL("../../README.md", import.meta.url), "utf8");
    const [, options = ""] = /^npm run simulate -- (.+)$/m.exec(readme) ?? [];
    // Of an option that is given twice the last counts.
    const args = [...options.split(" "), "--url", `${service.url}/mandrill`, "--count", "2"];
    expect((await runCommandLine("simulate", args)).code).toBe(0);
    expect(options).toContain("--count");
    expect(await eventsOf(service.url)).toHaveLength(2);
  });

  it("tells with --help what there is", async () => {
    const { code, stdout } = await runCommandLine("simulate", ["--help"]);
    expect(code).toBe(0);
    for (const option of ["url", "key", "rate", "count", "forever", "types", "duplicates", "seed"]) {
      expect(stdout).toContain(`--${option} `);
    }
  });
});
