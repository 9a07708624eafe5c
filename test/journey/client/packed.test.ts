import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const ROOT = resolve(import.meta.dirname, "../../..");
const MODULES = join(ROOT, "node_modules");

const run = promisify(execFile);
const env = { ...process.env, npm_config_update_notifier: "false", npm_config_ignore_scripts: "false" };

/** Everything that the entry point exports, used as an application would. */
const PROGRAM = `
import type { Client as GraphqlWsClient } from "graphql-ws";
import {
  type Client,
  createResumingClient,
  type Gap,
  type GapAnswer,
  type Lag,
  type ResumingClientOptions,
} from "mandrill-live/client";

const gaps: Gap[] = [];
const url = "ws://127.0.0.1:4000/graphql";
const options: ResumingClientOptions = { url, onGap: (gap) => void gaps.push(gap) };
export const client: Client = createResumingClient(options);
// What Apollo's GraphQLWsLink, urql's and Relay's recipes take.
export const forLibraries: GraphqlWsClient = client;

export const answering = createResumingClient({
  url: async () => url,
  connectionParams: async () => ({ token: "t" }),
  silenceTimeout: 0,
  onGap(gap) {
    switch (gap.code) {
      case "CURSOR_EXPIRED":
        return "head";
      case "CURSOR_UNKNOWN":
        return { after: gap.oldest ?? "" };
    }
  },
  onLag: ({ operation, after }: Lag) => [operation.query, after satisfies string | undefined],
});
export const listening = createResumingClient({ url, onGap: (gap: Gap): void => console.log(gap.goesOn) });
export const fetching = createResumingClient({ url, onGap: async (gap): Promise<GapAnswer> => gap.goesOn });
// @ts-expect-error there is no such answer
createResumingClient({ url, onGap: () => "sideways" });
// @ts-expect-error a url is needed
createResumingClient({});

export async function ids(): Promise<(string | undefined)[]> {
  const found: (string | undefined)[] = [];
  for await (const { data } of client.iterate<{ eventReceived: { id: string } }>({ query: "subscription { eventReceived { id } }" })) {
    found.push(data?.eventReceived.id);
  }
  return found;
}
`;

const RESOLUTIONS = {
  nodenext: { module: "nodenext", moduleResolution: "nodenext" },
  bundler: { module: "esnext", moduleResolution: "bundler" },
};

/** What the compiler says of {@link PROGRAM} in this project. */
async function typeErrors(project: string, name: string, resolution: object): Promise<string> {
  await writeFile(join(project, "program.ts"), PROGRAM);
  const compilerOptions = {
    ...resolution,
    target: "es2022",
    lib: ["es2022", "dom"],
    types: [],
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    noEmit: true,
  };
  const config = join(project, `tsconfig.${name}.json`);
  await writeFile(config, JSON.stringify({ compilerOptions, files: ["program.ts"] }));
  const { stdout } = await run(process.execPath, [join(MODULES, "typescript/bin/tsc"), "-p", config]).catch(
    (error: { stdout: string }) => error,
  );
  return stdout;
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "mandrill-live-packed-"));
  await run("npm", ["pack", "--pack-destination", folder], { cwd: ROOT, env });
  const [tarball] = (await readdir(folder)).filter((name) => name.endsWith(".tgz"));
  await run("tar", ["-xzf", tarball as string], { cwd: folder });
  const modules = join(folder, "node_modules");
  await mkdir(modules);
  await rename(join(folder, "package"), join(modules, "mandrill-live"));
  // The client imports nothing else: what the service needs is not there.
  for (const name of ["graphql", "graphql-ws"]) await symlink(join(MODULES, name), join(modules, name));
  await writeFile(join(folder, "package.json"), JSON.stringify({ name: "application", type: "module" }));
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("the packed client, in an empty project", () => {
  it.each(Object.entries(RESOLUTIONS))("is typed for %s", async (name, resolution) => {
    expect(await typeErrors(folder, name, resolution)).toBe("");
  });

  it("runs", async () => {
    const program = `
      import { createResumingClient } from "mandrill-live/client";
      const client = createResumingClient({ url: "ws://127.0.0.1:1" });
      const tried = new Promise((resolve) => client.on("closed", resolve));
      const ended = new Promise((complete) => {
        client.subscribe({ query: "subscription { eventReceived { id } }" }, { next() {}, error: console.error, complete });
      });
      await tried;
      await client.dispose();
      await ended;
      console.log(Object.keys(client).sort().join());
    `;
    await writeFile(join(folder, "run.js"), program);
    const { stdout, stderr } = await run(process.execPath, [join(folder, "run.js")]);
    expect({ stdout, stderr }).toEqual({ stdout: "dispose,iterate,on,subscribe,terminate\n", stderr: "" });
  });

  it("is JavaScript and declarations, and brings no source or test along", async () => {
    const files = await readdir(join(folder, "node_modules/mandrill-live"), { recursive: true });
    const own = files.filter((path) => path.startsWith("dist/client/"));
    expect(own).toContain("dist/client/resuming-client.js");
    expect(own).toContain("dist/client/resuming-client.d.ts");
    expect(own.filter((path) => !/\.(?:js|d\.ts)$/.test(path))).toEqual([]);
    expect(files.filter((path) => /^(?:src|test|bench|data|node_modules)(?:\/|$)/.test(path))).toEqual([]);
  });

  it("is a package of its own too, which npm installs, and which brings nothing of the service along", async () => {
    const own = join(folder, "own");
    await mkdir(own);
    await run("npm", ["pack", "./dist/client", "--pack-destination", own], { cwd: ROOT, env });
    const [tarball = ""] = await readdir(own);
    const whole = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));
    expect(tarball).toBe(`mandrill-live-${whole.version}.tgz`);
    const packed = join(own, "node_modules/mandrill-live");
    await writeFile(join(own, "package.json"), JSON.stringify({ name: "application", type: "module" }));
    const libraries = ["graphql", "graphql-ws"].map((name) => join(MODULES, name));
    const install = ["install", "--offline", "--ignore-scripts", "--install-links", "--no-audit", "--no-fund"];
    await run("npm", [...install, tarball, ...libraries], { cwd: own, env });
    expect((await readdir(join(own, "node_modules"))).filter((name) => !name.startsWith(".")).sort()).toEqual([
      "graphql",
      "graphql-ws",
      "mandrill-live",
    ]);
    expect(await typeErrors(own, "nodenext", RESOLUTIONS.nodenext)).toBe("");
    const files = await readdir(packed);
    const built = await readdir(join(folder, "node_modules/mandrill-live/dist/client"));
    expect(files.sort()).toEqual([...built, "package.json"].sort());
    const { dependencies, peerDependencies, exports } = JSON.parse(
      await readFile(join(packed, "package.json"), "utf8"),
    );
    expect({ dependencies, peerDependencies }).toEqual({
      peerDependencies: { "graphql-ws": whole.dependencies["graphql-ws"] },
    });
    expect(Object.keys(exports)).toEqual(Object.keys(whole.exports));
  });
});
