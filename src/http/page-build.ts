import { createHash, randomUUID } from "node:crypto";
import type { Dirent } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";

/** What the live page is made from, below the project's folder. */
const INPUTS = ["dashboard", "client", "package-lock.json"];
/** Where builds lie, each in a folder named by the hash of its inputs. */
const BUILDS = "dist/page";
/** Begins the name of a folder that is still being written. */
const UNFINISHED = "unfinished-";
/** How long another start may still read a build that is no longer current. Milliseconds. */
const SPARED = 3_600_000;

/** Where the live page is to be found. */
export interface PageBuild {
  /** The folder of the current build, or the newest where that is missing; undefined where there is none. */
  readonly folder: string | undefined;
  /** Whether it was made from what is there now. Without the sources nothing could be newer. */
  readonly isCurrent: boolean;
}

/** Looks for a build in the project at `root`. */
export async function findPageBuild(root: string): Promise<PageBuild> {
  const builds = join(root, BUILDS);
  const finished = (await entriesOf(builds)).filter(({ name }) => !name.startsWith(UNFINISHED));
  const hash = await hashOfInputs(root);
  if (hash !== undefined && finished.some(({ name }) => name === hash)) {
    return { folder: join(builds, hash), isCurrent: true };
  }
  const aged = await Promise.all(finished.map(async ({ name }) => ({ name, age: await ageOf(join(builds, name)) })));
  const newest = aged.sort((a, b) => a.age - b.age)[0];
  return {
    folder: newest && join(builds, newest.name),
    isCurrent: hash === undefined && newest !== undefined,
  };
}

/**
 * Has `write` fill a fresh folder, and moves it into its place in one step: of several that build at once the first to
 * be ready wins, and nobody ever sees half a build.
 */
export async function makePageBuild(root: string, write: (folder: string) => Promise<void>): Promise<void> {
  const hash = await hashOfInputs(root);
  if (hash === undefined) throw new Error("the live page's sources are not here");
  const builds = join(root, BUILDS);
  const place = join(builds, hash);
  const fresh = join(builds, `${UNFINISHED}${randomUUID()}`);
  await mkdir(fresh, { recursive: true });
  try {
    await write(fresh);
    await rename(fresh, place).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    });
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
  for (const { name } of await entriesOf(builds)) {
    const folder = join(builds, name);
    if (folder !== place && (await ageOf(folder)) > SPARED) await rm(folder, { recursive: true, force: true });
  }
}

/** Tells one state of the sources from another; undefined where they are not there, as in an installed package. */
async function hashOfInputs(root: string): Promise<string | undefined> {
  const hash = createHash("sha256");
  for (const input of INPUTS) {
    const files = await filesBelow(root, input);
    if (files.length === 0 && input === "dashboard") return undefined;
    for (const file of files) {
      const content = await readFile(join(root, file));
      hash.update(`${file}\n${content.length}\n`).update(content);
    }
  }
  return hash.digest("hex").slice(0, 16);
}

/** Paths from `root` of a file, or of all files in a folder, sorted. */
async function filesBelow(root: string, path: string): Promise<string[]> {
  const entries = await entriesOf(join(root, path), true);
  if (entries.length > 0) {
    return entries
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name).slice(join(root, "/").length))
      .sort();
  }
  return (await ageOf(join(root, path))) === Number.POSITIVE_INFINITY ? [] : [path];
}

async function entriesOf(folder: string, recursive = false): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true, recursive });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return [];
    throw error;
  }
}

/** Milliseconds since it was changed; infinite where it is not there. */
async function ageOf(path: string): Promise<number> {
  try {
    return Date.now() - (await stat(path)).mtimeMs;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
