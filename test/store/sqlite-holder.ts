import { openSqliteEventLog } from "../../src/event-log/sqlite/sqlite-event-log.ts";
import { sampleEvents } from "../harness/event-samples.ts";
import { WIDE_LIMITS } from "../harness/wide-limits.ts";

/**
 * A process of its own that holds a log: `node sqlite-holder.ts <file> <busy timeout, ms>`. Writes "open" or why not,
 * then the head after each append, a line each, until it is killed.
 */
const [, , file = "", busyTimeoutMs = "0"] = process.argv;
const tell = (line: string) => new Promise((resolve) => process.stdout.write(`${line}\n`, resolve));

try {
  const eventLog = await openSqliteEventLog({ file, limits: WIDE_LIMITS, busyTimeoutMs: Number(busyTimeoutMs) });
  await tell("open");
  for (let i = 0; ; i++) {
    const { head } = await eventLog.append(sampleEvents(10, `holder-${i}`));
    await tell(String(head));
  }
} catch (error) {
  await tell(error instanceof Error ? error.message : String(error));
}
