import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

/** The best quality that takes no noticeable time for what the page has. */
const BROTLI_QUALITY = 9;

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** A file of the live page, in every form in which a browser may take it. */
export interface PageFile {
  readonly type: string;
  readonly etag: string;
  readonly encodings: { readonly identity: Buffer; readonly gzip: Buffer; readonly br: Buffer };
}

/** What a build of the live page consists of. */
export interface PageFiles {
  readonly index: PageFile;
  /** By name, as below `assets` of the build. Names change with the content. */
  readonly assets: ReadonlyMap<string, PageFile>;
}

/** Reads a whole build into memory: it then does no harm when its folder goes. */
export async function readPageFiles(folder: string): Promise<PageFiles> {
  const index = await readPageFile(join(folder, "index.html"));
  const names = await readdir(join(folder, "assets"));
  const files = names.map(async (name) => [name, await readPageFile(join(folder, "assets", name))] as const);
  return { index, assets: new Map(await Promise.all(files)) };
}

async function readPageFile(path: string): Promise<PageFile> {
  const identity = await readFile(path);
  const params = { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY };
  return {
    type: TYPES[extname(path)] ?? "application/octet-stream",
    etag: createHash("sha256").update(identity).digest("base64url").slice(0, 22),
    encodings: {
      identity,
      gzip: await promisify(gzip)(identity),
      br: await promisify(brotliCompress)(identity, { params }),
    },
  };
}
