import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { transformAsync } from "@babel/core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createFrontEnd, type FrontEnd } from "../harness/front-end.ts";
import { jsonBatch, post } from "../harness/mandrill-post.ts";
import { type Program, startInBrowser, startProgram } from "../harness/program.ts";
import { createProxy, type TcpProxy } from "../harness/proxy.ts";
import { type RunningService, runService } from "../harness/service.ts";
import { findPython } from "../setup/prerequisites.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const run = promisify(execFile);

let service: RunningService;
let frontEnd: FrontEnd;
let proxy: TcpProxy;
let page: string;
beforeAll(async () => {
  service = await runService();
  frontEnd = await createFrontEnd();
  page = await readFile(`${ROOT}/docs/clients.md`, "utf8");
}, 60_000);
afterAll(async () => {
  await frontEnd[Symbol.asyncDispose]();
  await service.stop();
});
beforeEach(async () => {
  proxy = await createProxy(Number(new URL(service.url).port));
});
afterEach(() => proxy.close());

/** The page's examples in this language under this heading, as they stand but for the service's address. */
function examples(heading: string, language: string): string[] {
  const section = page.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? "";
  const found = [...section.matchAll(/```(\w+)\n([\s\S]*?)```/g)].filter(([, name]) => name === language);
  if (found.length === 0) throw new Error(`docs/clients.md has no ${language} under "${heading}"`);
  return found.map(([, , text = ""]) => text.replaceAll("localhost:4000", `127.0.0.1:${proxy.port}`));
}

const example = (heading: string, language: string) => examples(heading, language)[0] as string;

async function startScript(name: string, text: string): Promise<Program> {
  const file = await frontEnd.write(name, text);
  return startProgram(process.execPath, [file], frontEnd.folder);
}

/** A page of the service itself: those of others need `ALLOWED_ORIGINS`. */
const startInPage = (text: string): Promise<Program> => startInBrowser(text, `http://127.0.0.1:${proxy.port}/health`);

const startShell = (script: string): Program => startProgram("sh", ["-c", `exec ${script}`], frontEnd.folder);

async function startPython(text: string): Promise<Program> {
  return startProgram(findPython(), [await frontEnd.write("feed.py", text)], frontEnd.folder);
}

let posted = 0;
const recipient = (n: number): string => `reader-${n}@example.com`;

/** Posts a click about the next recipient; returns the recipient. */
async function postClick(): Promise<string> {
  const email = recipient(++posted);
  const event = { event: "click", ts: 1_760_000_000 + posted, url: "https://example.com/", msg: { email } };
  expect(await post(service.url, jsonBatch([event]))).toMatchObject({ status: 200 });
  return email;
}

/** Posts until the program has printed one of these events: it does not say when it listens. */
async function heardFirst(program: Program): Promise<void> {
  const before = posted;
  const isHeard = (): boolean => heardBy(program).some((n) => n > before);
  while (!isHeard() && !program.hasEnded) await postClick();
  await program.prints(recipient(posted));
}

/** Numbers of the recipients whose events the program has printed, in its order; whole events name theirs twice. */
const heardBy = ({ printed }: Program): number[] =>
  [...printed.matchAll(/(?<!"message":\{"email":")reader-(\d+)@example\.com/g)].map(([, n]) => Number(n));

function expectAllInOrder(program: Program): void {
  const heard = heardBy(program);
  const first = heard[0] as number;
  expect(heard).toEqual(Array.from({ length: posted - first + 1 }, (_, i) => first + i));
}

describe("the programs of docs/clients.md print what is posted, and go on after a lost connection", () => {
  it.each<[heading: string, start: (heading: string) => Promise<Program>]>([
    ["The resuming client", (heading) => startScript("feed.mjs", example(heading, "js"))],
    ["Apollo Client", (heading) => startScript("apollo.mjs", example(heading, "js"))],
    ["urql", (heading) => startScript("urql.mjs", example(heading, "js"))],
    ["Relay", (heading) => startRelay(example(heading, "js"))],
    ["graphql-ws alone", (heading) => startScript("alone.mjs", example(heading, "js"))],
    ["EventSource", (heading) => startInPage(example(heading, "js"))],
    ["Python", (heading) => startPython(example(heading, "python"))],
  ])("%s", async (heading, start) => {
    await using program = await start(heading);
    await heardFirst(program);
    // A poll that has just been answered is not cut: its program is about to ask again.
    await expect.poll(() => service.counts().subscribers, { interval: 5 }).toBe(1);
    expect(proxy.cutAll()).toBeGreaterThan(0);
    await postClick();
    await program.prints(await postClick());
    expectAllInOrder(program);
  });
});

/** As the page puts it: the compiler first, then Babel, and what bundles the front end. */
async function startRelay(text: string): Promise<Program> {
  await frontEnd.write("relay.config.json", example("Relay", "json"));
  await frontEnd.write("schema.graphql", await readFile(`${ROOT}/schema.graphql`, "utf8"));
  const filename = await frontEnd.write("src/Feed.js", text);
  await frontEnd.npx("relay-compiler", []);
  const plugins = [fileURLToPath(import.meta.resolve("babel-plugin-relay"))];
  const compiled = await transformAsync(text, { filename, cwd: frontEnd.folder, root: frontEnd.folder, plugins });
  await frontEnd.write("src/Feed.js", compiled?.code ?? "");
  await frontEnd.npx("vite", ["build", "--ssr", "src/Feed.js", "--logLevel", "warn"]);
  return startProgram(process.execPath, ["dist/Feed.js"], frontEnd.folder);
}

describe("a gap is told, and what comes then is printed,", () => {
  it("by the EventSource of docs/clients.md", async () => {
    const text = example("EventSource", "js");
    await using program = await startInPage(text.replace("let after;", 'let after = "another log";'));
    await program.prints("CURSOR_UNKNOWN");
    await program.prints(await postClick());
  });

  it("by the Python of docs/clients.md", async () => {
    const text = example("Python", "python");
    await using program = await startPython(text.replace("after = None", 'after = "another log"'));
    await program.prints("CURSOR_UNKNOWN");
    await program.prints(await postClick());
  });
});

describe("the curls of docs/clients.md", () => {
  it.each([0, 1])("print the stream (%i)", async (index) => {
    await using program = startShell(examples("curl", "sh")[index] as string);
    await heardFirst(program);
    expectAllInOrder(program);
  });

  it("are answered with the recent past", async () => {
    const email = await postClick();
    const { stdout } = await run("sh", ["-c", examples("curl", "sh")[2] as string]);
    expect(JSON.parse(stdout)).toMatchObject({
      data: { recentEvents: { head: expect.any(String), nodes: [{ type: "click", email }, {}, {}, {}, {}] } },
    });
  });
});

describe("codegen as docs/clients.md puts it", () => {
  const HEADING = "Types for your operations";
  const GENERATED = "src/gql/graphql.ts";

  it("gives types under which the program there compiles, is bundled and runs", async () => {
    const [config = "", program = ""] = examples(HEADING, "ts");
    await frontEnd.write("codegen.ts", config);
    await frontEnd.write("src/feed.ts", program);
    await frontEnd.npx("graphql-codegen", []);
    const compilerOptions = {
      ...{ module: "esnext", moduleResolution: "bundler", target: "es2022", lib: ["es2023", "dom"], types: [] },
      ...{ strict: true, noEmit: true, skipLibCheck: true },
    };
    await frontEnd.write("tsconfig.json", JSON.stringify({ compilerOptions, include: ["src/**/*.ts"] }));
    await frontEnd.npx("tsc", []);
    await frontEnd.write("src/mistaken.ts", program.replace("event.url", "event.description"));
    await expect(frontEnd.npx("tsc", [])).rejects.toMatchObject({
      stdout: expect.stringContaining("'description' does not exist"),
    });

    await frontEnd.npx("vite", ["build", "--ssr", "src/feed.ts", "--logLevel", "warn"]);
    await using feed = startProgram(process.execPath, ["dist/feed.js"], frontEnd.folder);
    await heardFirst(feed);
    expectAllInOrder(feed);
    expect(feed.printed).toContain("@example.com clicked https://example.com/\n");
  });

  it("gives the same types from the service as from schema.graphql", async () => {
    const [config = "", program = ""] = examples(HEADING, "ts");
    await frontEnd.write("src/feed.ts", program);
    await frontEnd.write("codegen.ts", config);
    await frontEnd.npx("graphql-codegen", []);
    const fromService = await readFile(`${frontEnd.folder}/${GENERATED}`, "utf8");
    await frontEnd.write("schema.graphql", await readFile(`${ROOT}/schema.graphql`, "utf8"));
    await frontEnd.write("codegen.ts", config.replace(/schema: ".*"/, 'schema: "schema.graphql"'));
    await frontEnd.npx("graphql-codegen", []);
    expect(await readFile(`${frontEnd.folder}/${GENERATED}`, "utf8")).toBe(fromService);
  });
});
