import { type LogFile, openLogFile } from "./log-file.ts";
import { storeError } from "./store-error.ts";

/** Milliseconds to wait for a service that is just stopping. */
const BUSY_TIMEOUT = 5_000;

/** Opens a log's file that no service has open; throws LOG_UNAVAILABLE where one has, or where it is none of ours. */
export function openUnusedLogFile(path: string): LogFile {
  try {
    return openLogFile(path, BUSY_TIMEOUT);
  } catch (error) {
    throw storeError(error);
  }
}
