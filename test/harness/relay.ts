import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import type { ConcreteRequest } from "relay-runtime";

const ROOT = resolve(import.meta.dirname, "../..");
const COMPILER = fileURLToPath(import.meta.resolve("relay-compiler/cli.js"));

/** What relay-compiler makes of an operation against our schema. Its name must end as Relay wants it. */
export async function compileByRelay(name: string, text: string): Promise<ConcreteRequest> {
  const folder = await mkdtemp(join(tmpdir(), "mandrill-live-relay-"));
  const config = { src: "./src", schema: "./schema.graphql", language: "javascript", eagerEsModules: true };
  try {
    await mkdir(join(folder, "src"));
    await symlink(join(ROOT, "schema.graphql"), join(folder, "schema.graphql"));
    await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }));
    await writeFile(join(folder, "relay.config.json"), JSON.stringify(config));
    await writeFile(join(folder, `src/${name.replace(/Subscription$/, "")}.js`), `graphql\`${text}\``);
    await promisify(execFile)(process.execPath, [COMPILER], { cwd: folder });
    const artifact = pathToFileURL(join(folder, `src/__generated__/${name}.graphql.js`)).href;
    return ((await import(/* @vite-ignore */ artifact)) as { default: ConcreteRequest }).default;
  } finally {
    await rm(folder, { recursive: true });
  }
}
