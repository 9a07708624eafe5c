import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { Environment } from "../../src/config.ts";

/** How a command of src/command ended, and what it said. */
export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  /** Nothing else is taken from the real environment, but where programs are. */
  readonly env?: Environment | undefined;
  /** Where it runs, and looks for `.env`. @default an empty folder that goes with it */
  readonly folder?: string | undefined;
}

/** A command under way. */
export interface RunningCommand {
  readonly child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<CommandResult>;
}

/** Starts `src/command/<name>.ts` as `npm run` would. */
export async function startCommand(
  name: string,
  args: readonly string[],
  { env = {}, folder }: CommandOptions = {},
): Promise<RunningCommand> {
  const cwd = folder ?? (await mkdtemp(join(tmpdir(), "mandrill-live-command-")));
  const file = fileURLToPath(new URL(`../../src/command/${name}.ts`, import.meta.url));
  const child = spawn(process.execPath, [file, ...args], { cwd, env: { PATH: process.env.PATH, ...env } });
  child.stdin.end();
  // A test that is broken off leaves nothing running.
  const killWithTests = (): void => void child.kill("SIGKILL");
  process.once("exit", killWithTests);
  const exit = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const ended = (async () => {
    const [code, stdout, stderr] = await Promise.all([exit, text(child.stdout), text(child.stderr)]);
    process.off("exit", killWithTests);
    if (folder === undefined) await rm(cwd, { recursive: true, force: true });
    return { code, stdout, stderr };
  })();
  return { child, ended };
}

/** Runs a command to its end. */
export async function runCommandLine(
  name: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return (await startCommand(name, args, options)).ended;
}
