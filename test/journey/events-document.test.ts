import { type ChildProcess, execFile } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { jsonBatch, post } from "../harness/mandrill-post.ts";
import { type RunningService, runService } from "../harness/service.ts";

let service: RunningService;
let blocks: string[];
beforeAll(async () => {
  service = await runService();
  const page = await readFile(new URL("../../docs/events.md", import.meta.url), "utf8");
  blocks = [...page.matchAll(/```(?:sh|js)\n([\s\S]*?)```/g)].map(([, text = ""]) =>
    text.replaceAll("http://localhost:4000", service.url),
  );
});
afterAll(() => service.stop());

/** The page's first example that has this. */
function example(part: string): string {
  const found = blocks.find((block) => block.includes(part));
  if (found === undefined) throw new Error(`docs/events.md has no example with ${part}`);
  return found;
}

/** Resolves with what the program has printed once it has printed this. */
async function printed({ stdout }: ChildProcess, part: string): Promise<string> {
  let text = "";
  while (!text.includes(part)) text += String((await once(stdout as NodeJS.ReadableStream, "data"))[0]);
  return text;
}

const click = () =>
  post(service.url, jsonBatch([{ event: "click", ts: Date.now(), msg: { email: "ada@example.com" } }]));

it("the EventSource of docs/events.md prints what is posted", async () => {
  // Node's own EventSource is behind a flag; it says by itself when it listens.
  const program = `${example("EventSource")}\nevents.onopen = () => console.log("listening");`;
  const child = execFile(process.execPath, ["--experimental-eventsource", "--eval", program]);
  await printed(child, "listening");
  const told = printed(child, "ada@example.com");
  await click();
  expect(await told).toContain("ada@example.com");
  child.kill();
});

it("the curl of docs/events.md prints the stream", async () => {
  const child = execFile("sh", ["-c", `exec ${example("curl -N")}`]);
  await printed(child, "retry: ");
  const told = printed(child, "ada@example.com");
  await click();
  expect(await told).toMatch(/^id: \S+\ndata: \{.*"type":"click"/m);
  child.kill();
});

it("the poll of docs/events.md is answered as it says", async () => {
  const { stdout } = await promisify(execFile)("sh", ["-c", example("Accept: application/json")]);
  expect(JSON.parse(stdout)).toEqual({ events: [], head: expect.any(String) });
});
