import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findPageBuild, makePageBuild } from "../../../src/http/page-build.ts";

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "mandrill-live-build-"));
  for (const folder of ["dashboard/view", "client"]) await mkdir(join(root, folder), { recursive: true });
  await writeFile(join(root, "package-lock.json"), "{}\n");
  await writeFile(join(root, "dashboard/view/page.tsx"), "first\n");
  await writeFile(join(root, "client/client.ts"), "client\n");
});

afterEach(() => rm(root, { recursive: true }));

const write = (text: string) => (folder: string) => writeFile(join(folder, "index.html"), text);

async function served(): Promise<string> {
  const { folder } = await findPageBuild(root);
  return readFile(join(folder ?? "", "index.html"), "utf8");
}

describe("a build of the live page", () => {
  it("is missing at first, current once made, and no longer when a source, the client or a version changes", async () => {
    expect(await findPageBuild(root)).toEqual({ folder: undefined, isCurrent: false });
    for (const file of ["dashboard/view/page.tsx", "client/client.ts", "package-lock.json"]) {
      await makePageBuild(root, write(`before ${file}`));
      expect((await findPageBuild(root)).isCurrent).toBe(true);
      await writeFile(join(root, file), "changed\n");
      expect(await findPageBuild(root)).toEqual({ folder: expect.any(String), isCurrent: false });
      // Better than none, where a newer cannot be made.
      expect(await served()).toBe(`before ${file}`);
    }
  });

  it("also knows a file that was renamed", async () => {
    await makePageBuild(root, write("one"));
    await rm(join(root, "dashboard/view/page.tsx"));
    await writeFile(join(root, "dashboard/view/other.tsx"), "first\n");
    expect((await findPageBuild(root)).isCurrent).toBe(false);
  });

  it("is whole, whoever of two that build at once is first", async () => {
    const bothWrite = Promise.withResolvers<void>();
    let writing = 0;
    const slowly = (text: string) => async (folder: string) => {
      writing += 1;
      if (writing === 2) bothWrite.resolve();
      await bothWrite.promise;
      await write(text)(folder);
    };
    await Promise.all([makePageBuild(root, slowly("a")), makePageBuild(root, slowly("b"))]);
    expect(["a", "b"]).toContain(await served());
    expect(await readdir(join(root, "dist/page"))).toHaveLength(1);
  });

  it("leaves nothing where it failed", async () => {
    const broken = makePageBuild(root, async (folder) => {
      await write("half")(folder);
      throw new Error("a syntax error");
    });
    await expect(broken).rejects.toThrow("a syntax error");
    expect(await readdir(join(root, "dist/page"))).toEqual([]);
  });

  it("takes what is old away, but not what another start may be reading", async () => {
    const names: string[] = [];
    for (const text of ["oldest", "older", "newest"]) {
      await writeFile(join(root, "client/client.ts"), text);
      await makePageBuild(root, write(text));
      names.push((await findPageBuild(root)).folder ?? "");
    }
    const yesterday = new Date(Date.now() - 86_400_000);
    await utimes(names[0] ?? "", yesterday, yesterday);
    await makePageBuild(root, write("again"));
    expect((await readdir(join(root, "dist/page"))).map((name) => join(root, "dist/page", name)).sort()).toEqual(
      names.slice(1).sort(),
    );
  });

  it("is taken as it is where its sources are not there, as in an image", async () => {
    await makePageBuild(root, write("shipped"));
    await rm(join(root, "dashboard"), { recursive: true });
    expect((await findPageBuild(root)).isCurrent).toBe(true);
    await expect(makePageBuild(root, write("never"))).rejects.toThrow("sources are not here");
  });
});
