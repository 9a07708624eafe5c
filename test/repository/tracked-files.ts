import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The repository's root, with a slash at its end. */
export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** The text of a file, given by its path from the root. */
export function textOf(path: string): string {
  return readFileSync(ROOT + path, "utf8");
}

/** Paths from the root of all files that git keeps or would keep, those that match `pathspecs` only. */
export function trackedFiles(...pathspecs: readonly string[]): readonly string[] {
  // A clone may belong to another user than the one who tests it.
  const git = [
    "-c",
    `safe.directory=${ROOT.slice(0, -1)}`,
    "ls-files",
    "-z",
    "--cached",
    "--others",
    "--exclude-standard",
  ];
  const listed = execFileSync("git", [...git, "--deduplicate", "--", ...pathspecs], { cwd: ROOT, encoding: "utf8" });
  const deleted = new Set(
    execFileSync("git", [...git.slice(0, 2), "ls-files", "-z", "--deleted"], { cwd: ROOT, encoding: "utf8" }).split(
      "\0",
    ),
  );
  return listed.split("\0").filter((path) => path !== "" && !deleted.has(path));
}
