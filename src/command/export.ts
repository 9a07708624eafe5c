import { pipeline } from "node:stream/promises";
import { type Config, loadConfig } from "../config.ts";
import { settledEnvironment } from "../env-file.ts";
import type { ExportSpan } from "../graphql/event-export.ts";
import type { SettingKind } from "../setting-kind.ts";
import { optionValue, runCommand, UsageError } from "./command-line.ts";
import { askService, brokenOff } from "./control-client.ts";
import { createProgress } from "./progress.ts";

const HELP = `Writes the events of the log to standard output, a line of JSON each, oldest first.

  npm run --silent export -- [options] > events.ndjson

  --since TIME   received then or later, such as 2026-11-23 or 2026-11-23T12:00:00Z [the oldest that is held]
  --until TIME   received before then [what is there when the export begins]
  --after CURSOR only what came later than the event with this cursor, such as the last one exported before

Fields have the names of the GraphQL schema; raw is what Mandrill sent. Which event log: as the service, by the
environment and .env. The service may be running.
`;

const OPTIONS = { since: { type: "string" }, until: { type: "string" }, after: { type: "string" } } as const;

const TIME: SettingKind<number> = {
  allowed: "a time such as 2026-11-23 or 2026-11-23T12:00:00Z",
  parse(given) {
    const isTime = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d))?$/.test(given);
    const time = isTime ? Date.parse(given) : Number.NaN;
    return Number.isNaN(time) ? undefined : time;
  },
};

await runCommand({
  name: "export",
  help: HELP,
  options: OPTIONS,
  async run(values, signal) {
    const since = optionValue("since", values.since, TIME);
    const until = optionValue("until", values.until, TIME);
    if (since !== undefined && until !== undefined && since >= until) {
      throw new UsageError("--since is not earlier than --until.");
    }
    const config = loadConfig(await settledEnvironment(process.env));
    // On one terminal with the events it would only be in their way.
    const progress = process.stdout.isTTY
      ? null
      : createProgress({ stream: process.stderr, what: "events", total: Number.POSITIVE_INFINITY });
    let count = 0;
    const counted = async function* (source: AsyncIterable<string | Buffer>) {
      for await (const chunk of source) {
        count += linesIn(chunk);
        progress?.update(count);
        yield chunk;
      }
    };
    try {
      await pipeline(linesOf(config, { since, until, after: values.after }), counted, process.stdout, {
        end: false,
        signal,
      });
    } finally {
      progress?.end();
    }
    process.stderr.write(`${count} events exported.\n`);
    return 0;
  },
});

/** From the service where it has the log's file, else from the log itself. */
async function* linesOf(config: Config, span: ExportSpan): AsyncGenerator<string | Buffer> {
  const { eventLog } = config;
  if (eventLog.kind === "sqlite") {
    const given = Object.entries(span).filter(([, value]) => value !== undefined);
    const query = new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
    const answer = await askService(eventLog.dataDir, "GET", `/export?${query}`);
    if (answer !== null) {
      try {
        yield* answer as AsyncIterable<Buffer>;
      } catch (error) {
        throw brokenOff(error);
      }
      return;
    }
  }
  // Only here, for it brings the whole service along.
  const { exportFromLog } = await import("./unserved-export.ts");
  yield* exportFromLog(config, span);
}

function linesIn(chunk: string | Buffer): number {
  const text = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
  let lines = 0;
  for (let at = text.indexOf(0x0a); at !== -1; at = text.indexOf(0x0a, at + 1)) lines += 1;
  return lines;
}
