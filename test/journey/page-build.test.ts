import { appendFile, cp, mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, it } from "vitest";
import { jsonBatch, post, rawEvent } from "../harness/mandrill-post.ts";
import { type ServiceProcess, spawnService } from "../harness/service-process.ts";

const PROJECT = fileURLToPath(new URL("../../", import.meta.url));
const COPIED = ["src", "client", "dashboard", "package.json", "package-lock.json"];
/** Two builds at once, on a machine that is busy with other tests. Milliseconds. */
const PATIENCE = 90_000;

/** The project as somebody has it whose page has never been built. */
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "mandrill-live-page-"));
  for (const name of COPIED) await cp(join(PROJECT, name), join(folder, name), { recursive: true });
  await symlink(join(PROJECT, "node_modules"), join(folder, "node_modules"));
  return () => rm(folder, { recursive: true, force: true });
});

interface Started extends AsyncDisposable {
  readonly service: ServiceProcess;
  /** What `/` said when the service had just said that it listens. */
  readonly saidFirst: string;
}

const pageOf = async ({ url }: ServiceProcess): Promise<string> => (await fetch(url)).text();

/** Starts the copy as `npm start` does, and sees that it takes events at once. */
async function start(): Promise<Started> {
  const service = await spawnService({ main: join(folder, "src/main.ts") });
  const saidFirst = await pageOf(service);
  expect(await post(service.url, jsonBatch([rawEvent("open")]))).toMatchObject({ status: 200 });
  return { service, saidFirst, [Symbol.asyncDispose]: () => service[Symbol.asyncDispose]() };
}

const builds = (): Promise<string[]> => readdir(join(folder, "dist/page"));

/** Resolves when the page is there, and its script with it. */
async function built({ service }: Started): Promise<void> {
  const script = async (): Promise<string | undefined> =>
    /src="\.\/(assets\/[^"]+\.js)"/.exec(await pageOf(service))?.[1];
  await expect.poll(script, { timeout: PATIENCE, interval: 100 }).toBeDefined();
  expect((await fetch(`${service.url}/${await script()}`)).status).toBe(200);
}

const BEING_BUILT = "The live page is being built";

it(
  "a start listens first, then builds a page that is missing or stale; two at once do each other no harm",
  async () => {
    {
      const both = await Promise.all([start(), start()]);
      await using one = both[0];
      await using other = both[1];
      // Who was later may have found what the other had made by then.
      expect([one.saidFirst, other.saidFirst].join()).toContain(BEING_BUILT);
      await Promise.all([built(one), built(other)]);
      expect(await builds()).toEqual([expect.stringMatching(/^[0-9a-f]{16}$/)]);
    }
    {
      await using again = await start();
      expect(again.saidFirst).not.toContain(BEING_BUILT);
      expect(await builds()).toHaveLength(1);
    }
    await appendFile(join(folder, "dashboard/style/page.css"), "/* A change. */\n");
    await using stale = await start();
    expect(stale.saidFirst).toContain(BEING_BUILT);
    await built(stale);
    expect(await builds()).toHaveLength(2);
  },
  2 * PATIENCE,
);
