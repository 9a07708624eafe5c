import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { graphql } from "graphql";
import { type Scope, UNSCOPED } from "../../src/access/scope.ts";
import type { EventLog } from "../../src/event-log/event-log.ts";
import { openSqliteEventLog } from "../../src/event-log/sqlite/sqlite-event-log.ts";
import type { QueryContext } from "../../src/graphql/context.ts";
import { presentError } from "../../src/graphql/present-error.ts";
import { schema } from "../../src/graphql/schema.ts";

const DAY_MS = 86_400_000;

/** What an operation answered, as JSON has it. */
export interface Answer {
  // biome-ignore lint/suspicious/noExplicitAny: the tests compare what they asked for; the journey has typed results.
  readonly data: any;
  readonly errors?: readonly { readonly message: string; readonly extensions: Record<string, unknown> }[];
}

/** An event log of its own, and the schema to ask it through. */
export class AskedLog implements AsyncDisposable {
  readonly eventLog: EventLog;
  readonly #folder: string;

  constructor(eventLog: EventLog, folder: string) {
    this.eventLog = eventLog;
    this.#folder = folder;
  }

  /** Executes the operation as the service does, for a viewer of `scope`. */
  async ask(source: string, variableValues: Record<string, unknown> = {}, scope: Scope = UNSCOPED): Promise<Answer> {
    const contextValue: QueryContext = { eventLog: this.eventLog, scope };
    const { data, errors } = await graphql({ schema, source, variableValues, contextValue });
    const presented = errors?.map((error) => presentError(error, { maskUnexpected: false }));
    return JSON.parse(JSON.stringify({ data, errors: presented })) as Answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.eventLog.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

export async function openAskedLog({ retentionEvents = 10_000 } = {}): Promise<AskedLog> {
  const folder = await mkdtemp(join(tmpdir(), "mandrill-live-query-"));
  const limits = {
    retentionEvents,
    retentionMs: 30 * DAY_MS,
    deduplicationMs: 7 * DAY_MS,
    deduplicationEvents: 10_000,
  };
  return new AskedLog(await openSqliteEventLog({ file: join(folder, "events.db"), limits }), folder);
}
