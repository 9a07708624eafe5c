import { closeSync, openSync } from "node:fs";

/** Creates the file, for its owner's eyes alone, unless it exists. */
export function createFile(path: string): void {
  try {
    // Never opened where it exists: closing any descriptor of a file drops every POSIX lock that the process has on it.
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}
