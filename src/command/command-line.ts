import { type ParseArgsOptionsConfig, parseArgs } from "node:util";
import { ConfigError } from "../config.ts";
import type { SettingKind } from "../setting-kind.ts";

/** A command as a person calls it: `npm run <name> -- --option value`. */
export interface Command<T extends ParseArgsOptionsConfig> {
  readonly name: string;
  /** What `--help` prints. */
  readonly help: string;
  readonly options: T;
  /**
   * Does it, and resolves to the exit code. `signal` fires at the first SIGINT or SIGTERM; the second ends the
   * process. An error that it rejects with is told as one line, and the code is 1; 2 for a {@link UsageError}.
   */
  run(values: ReturnType<typeof parseArgs<{ options: T }>>["values"], signal: AbortSignal): Promise<number>;
}

/** What was typed cannot be done; the message is one sentence that says why. */
export class UsageError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "UsageError";
  }
}

const HELP = { help: { type: "boolean", short: "h" } } as const;

/** Runs a command of this process, and sets its exit code. */
export async function runCommand<T extends ParseArgsOptionsConfig>(command: Command<T>): Promise<void> {
  const stopping = new AbortController();
  const stop = (): void => stopping.abort();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, stop);
  // Whoever reads along may have read enough (`| head`).
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(process.exitCode ?? 0);
  });
  try {
    process.exitCode = await run(command, stopping.signal);
  } catch (error) {
    process.stderr.write(`${command.name}: ${sentenceOf(error)}\n`);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  } finally {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, stop);
  }
}

async function run<T extends ParseArgsOptionsConfig>(command: Command<T>, signal: AbortSignal): Promise<number> {
  const values = valuesOf(command);
  if ((values as { help?: boolean }).help) {
    process.stdout.write(command.help);
    return 0;
  }
  return await command.run(values, signal);
}

function valuesOf<T extends ParseArgsOptionsConfig>({ options }: Command<T>) {
  try {
    return parseArgs<{ options: T }>({ options: { ...options, ...HELP } }).values;
  } catch (error) {
    if (!(error instanceof Error && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS"))) throw error;
    // Node's first sentence says what is wrong, its others are about positional arguments, of which there are none.
    const [sentence = ""] = error.message.split(/\.\s|\n/);
    throw new UsageError(`${sentence.replace(/\.$/, "")}. --help lists the options.`, { cause: error });
  }
}

function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error instanceof ConfigError
    ? `${error.message}\nThey come from the environment and from .env.`
    : error.message;
}

/** The value of an option; undefined where it is not given. Throws a UsageError where it is not allowed. */
export function optionValue<T>(name: string, given: string | undefined, kind: SettingKind<T>): T | undefined {
  if (given === undefined) return undefined;
  const value = given.trim() === "" ? undefined : kind.parse(given.trim());
  if (value === undefined) {
    throw new UsageError(`--${name} is ${kind.show?.(given) ?? JSON.stringify(given)}; allowed: ${kind.allowed}.`);
  }
  return value;
}
