import { execFile } from "node:child_process";
import { readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { loadConfig } from "../../src/config.ts";
import { welcome } from "../../src/telemetry/welcome.ts";
import { runService } from "../harness/service.ts";
import { connectSocket } from "../harness/socket-client.ts";

const ROOT = new URL("../../", import.meta.url);
const run = promisify(execFile);

/** The text of the README's first code block in this language that matches. */
async function block(language: string, wanted: RegExp): Promise<string> {
  const readme = await readFile(new URL("README.md", ROOT), "utf8");
  const blocks = [...readme.matchAll(/```(\w+)\n([\s\S]*?)```/g)];
  const found = blocks.find(([, name, text = ""]) => name === language && wanted.test(text));
  if (found === undefined) throw new Error(`README.md has no ${language} block with ${wanted}`);
  return found[2] as string;
}

it("the README's curl is answered as it says, and its subscription gets both events", async () => {
  await using service = await runService();
  await using client = await connectSocket(service.socketUrl);
  client.subscribe("1", await block("graphql", /eventReceived/), { extensions: { after: client.ack.head } });
  const curl = (await block("sh", /^curl/)).replaceAll("http://localhost:4000", service.url);
  const { stdout } = await run("sh", ["-c", curl]);
  expect(JSON.parse(stdout)).toEqual({ received: 2, appended: 2, duplicates: 0 });
  expect((await client.next("1")).payload.data.eventReceived).toMatchObject({ type: "open", email: "ada@example.com" });
  expect((await client.next("1")).payload.data.eventReceived).toMatchObject({
    type: "click",
    url: "https://example.com/start",
  });
  expect(JSON.parse((await run("sh", ["-c", curl])).stdout)).toEqual({ received: 2, appended: 0, duplicates: 2 });
});

it("the README's program prints the events that are posted", async () => {
  await using service = await runService();
  const program = (await block("js", /createClient/)).replaceAll(
    "ws://localhost:4000",
    service.url.replace("http:", "ws:"),
  );
  // Beside node_modules, where a newcomer puts it.
  const file = fileURLToPath(new URL("readme-example.tmp.mjs", ROOT));
  const { head } = (
    (await (await fetch(`${service.url}/graphql?query={recentEvents{head}}`)).json()) as {
      data: { recentEvents: { head: string } };
    }
  ).data.recentEvents;
  // Posted before the program is up: its place says where it begins, so that nothing has to wait for it.
  await fetch(`${service.url}/mandrill`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify([{ event: "click", msg: { email: "ada@example.com" } }]),
  });
  const placed = program.replace(
    "iterate({ query }",
    `iterate({ query, variables: { after: ${JSON.stringify(head)} } }`,
  );
  expect(placed).not.toBe(program);
  await writeFile(file, placed);
  try {
    const child = execFile(process.execPath, [file]);
    const printed = await new Promise<string>((resolve) => child.stdout?.once("data", resolve));
    child.kill();
    expect(printed).toContain("ada@example.com");
  } finally {
    await rm(file);
  }
});

it.each([
  ["unsigned", {}],
  [
    "signed",
    { MANDRILL_WEBHOOK_KEYS: "a-key", MANDRILL_WEBHOOK_URLS: "https://user:word@mail.example.com/mandrill?a=1" },
  ],
])("the start-up text's %s curl is taken", async (_what, env: Record<string, string>) => {
  await using service = await runService({ env });
  const text = welcome(loadConfig(env), service.url);
  const script = text
    .slice(text.indexOf("post two events:") + "post two events:".length)
    .replace("the webhook key", "a-key")
    .replace("its URL, as typed into Mandrill", env.MANDRILL_WEBHOOK_URLS ?? "");
  const { stdout } = await run("sh", ["-c", script]);
  expect(JSON.parse(stdout)).toEqual({ received: 2, appended: 2, duplicates: 0 });
});
