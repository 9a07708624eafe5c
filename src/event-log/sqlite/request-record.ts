import type { WebhookRequest } from "../../event/webhook-request.ts";
import { WEBHOOK_REQUESTS_KEPT } from "../event-log.ts";
import type { LogFile } from "./log-file.ts";

/** The last requests to the webhook endpoint. */
export interface RequestRecord {
  record(requests: readonly WebhookRequest[]): void;
  newest(limit: number): WebhookRequest[];
}

export function createRequestRecord({ database, transaction }: LogFile): RequestRecord {
  const insert = database.prepare("INSERT INTO requests (request) VALUES (?)");
  const trim = database.prepare("DELETE FROM requests WHERE number <= (SELECT max(number) FROM requests) - ?");
  const select = database.prepare("SELECT request FROM requests ORDER BY number DESC LIMIT ?");
  return {
    record(requests) {
      // Nothing is promised of these, so they do not wait for the disk; the next append makes them durable.
      database.exec("PRAGMA synchronous = NORMAL");
      try {
        transaction(() => {
          for (const request of requests) insert.run(JSON.stringify(request));
          trim.run(WEBHOOK_REQUESTS_KEPT);
        });
      } finally {
        database.exec("PRAGMA synchronous = FULL");
      }
    },
    newest: (limit) => select.all(limit).map(({ request }) => JSON.parse(request as string) as WebhookRequest),
  };
}
