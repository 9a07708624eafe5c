import type { Config } from "../config.ts";
import { type ExportSpan, exportEvents } from "../graphql/event-export.ts";
import { schema } from "../graphql/schema.ts";
import { openEventLog } from "../service.ts";
import { createLogger } from "../telemetry/logger.ts";

/** The lines of an export from the log itself, in Redis or in a file that no service has. */
export async function* exportFromLog({ eventLog: config, limits }: Config, span: ExportSpan): AsyncGenerator<string> {
  const eventLog = await openEventLog(config, limits, createLogger({ level: "silent", pretty: false }));
  try {
    for await (const { lines } of exportEvents(eventLog, schema, span)) yield lines;
  } finally {
    await eventLog.close();
  }
}
