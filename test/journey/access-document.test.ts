import { execFile } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { runCommandLine } from "../harness/command.ts";
import { type RunningService, runService } from "../harness/service.ts";
import { connectSocket } from "../harness/socket-client.ts";
import { bearer, JWT_SECRET, signToken } from "../harness/tokens.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const TOKEN = "a-static-token-for-tests";
const run = promisify(execFile);

let service: RunningService;
let page: string;
beforeAll(async () => {
  service = await runService({ env: { ACCESS_TOKENS: TOKEN, JWT_SECRET } });
  page = await readFile(`${ROOT}/docs/access.md`, "utf8");
});
afterAll(() => service.stop());

/** The page's first example in this language that has this part, asking the service of this test. */
function example(language: string, part: string): string {
  const blocks = [...page.matchAll(/```(\w+)\n([\s\S]*?)```/g)];
  const found = blocks.find(([, name, text]) => name === language && text?.includes(part))?.[2];
  if (found === undefined) throw new Error(`docs/access.md has no example with ${part}`);
  return found.replaceAll("localhost:4000", new URL(service.url).host);
}

const runProgram = (program: string) =>
  run(process.execPath, ["--experimental-eventsource", "--input-type=module", "--eval", program], { cwd: ROOT });

it("the claim of docs/access.md gives what it says", async () => {
  const token = await signToken(JSON.parse(example("json", "mandrill_live")));
  const response = await fetch(`${service.url}/session`, { headers: bearer(token) });
  expect(await response.json()).toEqual({
    expiresAt: new Date(1_900_000_000_000).toISOString(),
    scope: { subaccounts: ["store-eu"], emails: ["ada@example.com"], raw: false },
  });
});

it("the curl of docs/access.md is let in", async () => {
  const child = execFile("sh", ["-c", `exec ${example("sh", "curl")}`], { env: { ...process.env, TOKEN } });
  expect(String((await once(child.stdout as NodeJS.ReadableStream, "data"))[0])).toContain("retry: ");
  child.kill();
});

it("the WebSocket client of docs/access.md is let in", async () => {
  const { stdout } = await runProgram(`
    const freshToken = async () => ${JSON.stringify(await signToken())};
    ${example("js", "createClient")}
    client.subscribe(
      { query: "{ recentEvents(first: 1) { head } }" },
      { next: ({ data }) => console.log(data.recentEvents.head), error: console.error, complete: () => client.dispose() },
    );
  `);
  expect(stdout).toMatch(/^\S{22}\n$/);
});

it("the EventSource of docs/access.md is let in", async () => {
  const { stdout } = await runProgram(`
    const token = ${JSON.stringify(TOKEN)};
    ${example("js", "EventSource")}
    events.onopen = () => { console.log("listening"); events.close(); };
  `);
  expect(stdout).toBe("listening\n");
});

it("the mutation of docs/access.md renews a token, and the command revokes it", async () => {
  const [, args = ""] = /^npm run revoke -- (.+)$/m.exec(example("sh", "npm run revoke")) ?? [];
  const jti = args.split(" ").at(-1) as string;
  await using client = await connectSocket(service.socketUrl, {
    init: { authorization: `Bearer ${await signToken()}` },
  });
  const exp = Math.floor(Date.now() / 1_000) + 500;
  client.subscribe("renew", example("graphql", "renewToken"), { variables: { token: await signToken({ jti, exp }) } });
  const { payload } = await client.next("renew");
  expect(payload.data).toEqual({ renewToken: new Date(exp * 1_000).toISOString() });
  const { code } = await runCommandLine("revoke", args.split(" "), { env: { DATA_DIR: service.dataDir } });
  expect(code).toBe(0);
  expect(await client.closed).toEqual({ code: 4403, reason: "Token revoked" });
});
