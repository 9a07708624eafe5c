import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Lets the process write no file beyond so many bytes, files that are that long already included (setrlimit(2)). */
export async function limitFiles(pid: number, bytes: number | "unlimited"): Promise<void> {
  await run(process.env.PRLIMIT ?? "prlimit", ["--pid", `${pid}`, `--fsize=${bytes}:`]);
}
