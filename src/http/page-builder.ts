import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import type { PageOptions } from "./page.ts";
import { findPageBuild } from "./page-build.ts";

/**
 * Finds and makes builds of the live page in the project at `root`. A build runs in a process of its own, the command
 * at `program`: events are not to wait for it, and its memory goes with it.
 */
export function createPageBuilder(root: string, program: string): Pick<PageOptions, "find" | "build"> {
  return {
    find: () => findPageBuild(root),
    async build(signal) {
      const child: ChildProcess = fork(program, { stdio: ["ignore", "ignore", "pipe", "ipc"], execArgv: [], signal });
      // A service that is stopped does not wait for a page.
      child.unref();
      child.channel?.unref();
      const [[code], told] = await Promise.all([once(child, "exit"), child.stderr === null ? "" : text(child.stderr)]);
      if (code !== 0) throw new Error(told.trim() || `the build of the live page ended with ${code}`);
    },
  };
}
