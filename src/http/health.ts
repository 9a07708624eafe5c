import type { IncomingMessage, ServerResponse } from "node:http";
import type { EventLog } from "../event-log/event-log.ts";
import type { Hub } from "../hub/hub.ts";

/** How long an answer of the log holds: probes of many balancers cost the log one question. Milliseconds. */
const CHECK_HOLDS = 1_000;

export interface HealthOptions {
  readonly eventLog: EventLog;
  readonly hub: Hub;
  readonly isStopping: () => boolean;
}

/** One thing that must be so for the service to be of use. */
interface Check {
  readonly ok: boolean;
  readonly reason?: string;
  /** RFC 3339: since when it has been so. */
  readonly since: string;
}

/** Answers `/health` (the process is alive) and `/ready` (it can take webhooks and serve subscribers). */
export interface Health {
  alive(request: IncomingMessage, response: ServerResponse): void;
  ready(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** What `/ready` would say. Never rejects. */
  isReady(): Promise<boolean>;
}

export function createHealth({ eventLog, hub, isStopping }: HealthOptions): Health {
  const known = new Map<string, Check>();
  let checking: Promise<string | null> | null = null;
  let checkedAt = Number.NEGATIVE_INFINITY;

  /** null where the log answers, else why it does not. */
  const checkLog = (): Promise<string | null> => {
    if (checking === null || performance.now() - checkedAt > CHECK_HOLDS) {
      checkedAt = performance.now();
      checking = eventLog.check().then(
        () => (hub.head === null ? "The log has not been read yet." : null),
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      );
    }
    return checking;
  };

  const note = (name: string, reason: string | null): Check => {
    const before = known.get(name);
    if (before !== undefined && before.ok === (reason === null) && before.reason === (reason ?? undefined))
      return before;
    const since = before?.ok === (reason === null) ? before.since : new Date().toISOString();
    const check = reason === null ? { ok: true, since } : { ok: false, reason, since };
    known.set(name, check);
    return check;
  };

  return {
    alive(request, response) {
      answer(request, response, 200, { status: "ok" });
    },
    isReady: async () => (await checkLog()) === null && !isStopping(),
    async ready(request, response) {
      const checks = {
        eventLog: note("eventLog", await checkLog()),
        running: note("running", isStopping() ? "The service is shutting down." : null),
      };
      const ready = Object.values(checks).every(({ ok }) => ok);
      answer(request, response, ready ? 200 : 503, { status: ready ? "ready" : "not ready", checks });
    },
  };
}

function answer(request: IncomingMessage, response: ServerResponse, status: number, body: unknown): void {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    "content-type": "application/json; charset=utf-8",
    "content-length": Buffer.byteLength(text),
    "cache-control": "no-store",
  });
  response.end(request.method === "HEAD" ? undefined : text);
}
