import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";

const ROOT = resolve(import.meta.dirname, "../..");
const run = promisify(execFile);

/** An application's folder, with this repository's packages and the client as it is packed for others. */
export interface FrontEnd extends AsyncDisposable {
  readonly folder: string;
  /** Writes a file; returns its path. */
  write(name: string, text: string): Promise<string>;
  /** Runs a package's program as npx would; resolves to its standard output, rejects where it fails. */
  npx(name: string, args: readonly string[]): Promise<string>;
}

export async function createFrontEnd(): Promise<FrontEnd> {
  const folder = await mkdtemp(join(tmpdir(), "mandrill-live-front-end-"));
  const modules = join(folder, "node_modules");
  const client = join(modules, "mandrill-live");
  await mkdir(client, { recursive: true });
  for (const name of await readdir(join(ROOT, "node_modules"))) {
    await symlink(join(ROOT, "node_modules", name), join(modules, name));
  }
  const env = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env.PATH}` };
  const npx = async (name: string, args: readonly string[], cwd = folder): Promise<string> =>
    (await run(join(modules, ".bin", name), args, { cwd, env })).stdout;
  const write = async (name: string, text: string): Promise<string> => {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
    return path;
  };
  await npx("tsc", ["-p", "tsconfig.client.json", "--outDir", client], ROOT);
  await run(process.execPath, [join(ROOT, "src/command/client-package.ts"), client]);
  await write("package.json", JSON.stringify({ name: "front-end", private: true, type: "module" }));
  return {
    folder,
    write,
    npx: (name, args) => npx(name, args),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
