import { readFile } from "node:fs/promises";
import { parseEnv } from "node:util";
import type { Environment } from "./config.ts";

/** Settings of a development machine, in the folder where the program is started. */
export const ENV_FILE = ".env";

/**
 * What the service and its commands are set up with: the environment, and below it what {@link ENV_FILE} says. With
 * `NODE_ENV=production` in the environment the file is not read: a server has what it was given and nothing else.
 */
export async function settledEnvironment(environment: Environment): Promise<Environment> {
  return environment.NODE_ENV === "production" ? environment : environmentWith(ENV_FILE, environment);
}

/** The environment, and below it what `file` says, which may be missing. What is set there wins, even if it is empty. */
export async function environmentWith(file: string, environment: Environment): Promise<Environment> {
  return { ...parseEnv(await envFileText(file)), ...environment };
}

/** The text of an environment file; empty where there is none. */
export async function envFileText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}
