import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { findPageBuild, makePageBuild } from "../http/page-build.ts";

/**
 * Builds the live page where its build is missing or older than its sources.
 *
 * `--optional`, for installations: says nothing where all is well, and fails nothing where it cannot be done (without
 * the development dependencies, for instance). `npm start` tries again, and `/` tells the reason.
 */

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

async function buildPage(): Promise<boolean> {
  const found = await findPageBuild(ROOT);
  if (found.isCurrent) return false;
  // Whoever starts the service with NODE_ENV=development means the service, and not React with its warnings.
  process.env.NODE_ENV = "production";
  const { build } = await import("vite").catch((cause: unknown) => {
    throw new Error("The live page is built with development dependencies: `npm ci` installs them.", { cause });
  });
  await makePageBuild(ROOT, async (outDir) => {
    const root = join(ROOT, "dashboard");
    await build({
      root,
      configFile: join(root, "vite.config.ts"),
      configLoader: "native",
      logLevel: "error",
      build: { outDir, emptyOutDir: false },
    });
  });
  return true;
}

const isOptional = process.argv.includes("--optional");
try {
  const isNew = await buildPage();
  if (!isOptional) process.stdout.write(isNew ? "The live page has been built.\n" : "The live page is current.\n");
} catch (error) {
  const isMissing = (error as { cause?: { code?: unknown } }).cause?.code === "ERR_MODULE_NOT_FOUND";
  if (!isOptional || !isMissing) process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  if (!isOptional) process.exitCode = 1;
}
