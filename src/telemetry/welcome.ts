import type { Config } from "../config.ts";
import { maskedUrl } from "./masked-url.ts";

const EXAMPLE_EVENTS = [
  { event: "open", ts: 1461095246, msg: { _id: "abc123", email: "recipient@example.com", subject: "Hello" } },
  {
    event: "click",
    ts: 1461095250,
    url: "https://example.com/",
    msg: { _id: "abc123", email: "recipient@example.com" },
  },
];

/** What a person reads when the service has started: where everything is, and how to see it work. */
export function welcome({ eventLog, webhook }: Config, url: string): string {
  const kept = eventLog.kind === "sqlite" ? `SQLite, in ${eventLog.dataDir}` : `Redis, under ${eventLog.prefix}`;
  const checked =
    webhook.keys.length > 0
      ? `checked, for ${webhook.urls.map(maskedUrl).join(", ")}`
      : "NOT checked: whoever reaches this port can post events (MANDRILL_WEBHOOK_KEYS is not set)";
  return `
mandrill-live is ready.

  Live page    ${url}/
  GraphiQL     ${url}/graphql
  Webhook      ${url}/mandrill
  Event log    ${kept}
  Signatures   ${checked}

See it work: run the subscription in GraphiQL, then post two events:

  curl ${url}/mandrill/ -H 'Content-Type: application/json' \\
    -d '${JSON.stringify(EXAMPLE_EVENTS)}'

`;
}
