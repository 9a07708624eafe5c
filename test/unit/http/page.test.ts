import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createPage, type Page, type PageOptions } from "../../../src/http/page.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";

const INDEX = '<!doctype html><script type="module" src="./assets/main-1.js"></script>\n';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mandrill-live-page-"));
  await mkdir(join(folder, "assets"));
  await writeFile(join(folder, "index.html"), INDEX);
  await writeFile(join(folder, "assets", "main-1.js"), "console.log(1);\n");
});

afterEach(() => rm(folder, { recursive: true }));

interface ServedPage extends AsyncDisposable {
  readonly page: Page;
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Response>;
}

async function serve(options: Pick<PageOptions, "find"> & Partial<PageOptions>): Promise<ServedPage> {
  const build = () => Promise.reject(new Error("nobody asked for a build"));
  const page = createPage({ build, logger: createLogger({ level: "silent", pretty: false }), ...options });
  const server = createServer((request, response) => {
    const [path = "/"] = (request.url ?? "/").split("?");
    void (path === "/" ? page.index(request, response) : page.asset(request, response, path.slice("/assets/".length)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    page,
    get: (path, headers = {}) => fetch(`http://127.0.0.1:${port}${path}`, { headers }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const current = () => Promise.resolve({ folder, isCurrent: true });

describe("the live page over HTTP", () => {
  it("is asked for anew each time, and not sent again to who has it", async () => {
    await using served = await serve({ find: current });
    const first = await served.get("/?types=open");
    expect(await first.text()).toBe(INDEX);
    expect(first.headers.get("cache-control")).toBe("no-cache");
    const again = await served.get("/", { "if-none-match": `W/${first.headers.get("etag")}` });
    expect([again.status, await again.text()]).toEqual([304, ""]);
  });

  it("may keep its files for ever, since their names change", async () => {
    await using served = await serve({ find: current });
    const script = await served.get("/assets/main-1.js");
    expect(await script.text()).toBe("console.log(1);\n");
    expect(script.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect(script.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
  });

  it.each(["br", "gzip", "identity"])("comes as %s where that is what the browser takes", async (encoding) => {
    await using served = await serve({ find: current });
    const index = await served.get("/", { "accept-encoding": encoding });
    expect(index.headers.get("content-encoding")).toBe(encoding === "identity" ? null : encoding);
    expect(index.headers.get("vary")).toBe("accept-encoding");
    expect(await index.text()).toBe(INDEX);
  });

  it("allows no script and no style but those of its own files", async () => {
    await using served = await serve({ find: current });
    const policy = (await served.get("/")).headers.get("content-security-policy") ?? "";
    expect(policy).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self'/);
    expect(policy).not.toMatch(/unsafe|\*|data:/);
  });

  it("says that it is being built, reloads itself, and is there when it has been", async () => {
    const building = Promise.withResolvers<void>();
    let isBuilt = false;
    await using served = await serve({
      find: () => Promise.resolve(isBuilt ? { folder, isCurrent: true } : { folder: undefined, isCurrent: false }),
      build: () => building.promise,
    });
    const prepared = served.page.prepare();
    const meanwhile = await served.get("/");
    expect(meanwhile.status).toBe(503);
    expect(await meanwhile.text()).toMatch(/http-equiv="refresh"[\s\S]*is being built/);
    isBuilt = true;
    building.resolve();
    await prepared;
    expect(await (await served.get("/")).text()).toBe(INDEX);
  });

  it("says why it could not be built, without a line of markup from there", async () => {
    await using served = await serve({
      find: () => Promise.resolve({ folder: undefined, isCurrent: false }),
      build: () => Promise.reject(new Error("<img> is not closed")),
    });
    await served.page.prepare();
    const answer = await served.get("/");
    expect(answer.status).toBe(503);
    const text = await answer.text();
    expect(text).toContain("&lt;img> is not closed");
    expect(text).not.toContain("refresh");
  });

  it("is served from an older build where a newer cannot be made", async () => {
    await using served = await serve({
      find: () => Promise.resolve({ folder, isCurrent: false }),
      build: () => Promise.reject(new Error("no tools")),
    });
    await served.page.prepare();
    expect(await (await served.get("/")).text()).toBe(INDEX);
  });

  it("is built once, however many ask", async () => {
    let builds = 0;
    await using served = await serve({
      find: () => Promise.resolve({ folder, isCurrent: builds > 0 }),
      build: async () => {
        builds += 1;
      },
    });
    await Promise.all([served.page.prepare(), served.get("/"), served.get("/"), served.get("/assets/main-1.js")]);
    expect(builds).toBe(1);
  });
});
