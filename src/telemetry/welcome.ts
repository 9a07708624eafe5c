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
export function welcome({ http, eventLog, webhook }: Config, listensOn: string): string {
  const url = reachable(listensOn) + http.basePath;
  const kept = eventLog.kind === "sqlite" ? `SQLite, in ${eventLog.dataDir}` : `Redis, under ${eventLog.prefix}`;
  const checked =
    webhook.keys.length > 0
      ? `checked, for ${webhook.urls.map(maskedUrl).join(", ")}`
      : "NOT checked: whoever reaches this port can post events (MANDRILL_WEBHOOK_KEYS is not set)";
  return `
mandrill-live is listening.

  Live page    ${url}/
  GraphiQL     ${url}/graphql
  Webhook      ${url}/mandrill
  Ready?       ${url}/ready
  Event log    ${kept}
  Signatures   ${checked}

See it work: open the live page, then post two events:

${webhook.keys.length > 0 ? signedCurl(url) : plainCurl(url)}

`;
}

function plainCurl(url: string): string {
  return `  curl ${url}/mandrill/ -H 'Content-Type: application/json' \\
    -d '${JSON.stringify(EXAMPLE_EVENTS)}'`;
}

/** Signed as Mandrill signs: the key and the URL are for the person to fill in, since neither is printed. */
function signedCurl(url: string): string {
  return `  KEY='the webhook key' WEBHOOK_URL='its URL, as typed into Mandrill'
  EVENTS='${JSON.stringify(EXAMPLE_EVENTS)}'
  curl ${url}/mandrill --data-urlencode "mandrill_events=$EVENTS" -H "X-Mandrill-Signature: $(
    printf '%s' "\${WEBHOOK_URL}mandrill_events$EVENTS" | openssl dgst -sha1 -hmac "$KEY" -binary | base64)"`;
}

/** An address that stands for all of them is no address to open. */
function reachable(url: string): string {
  return url.replace(/^http:\/\/(?:0\.0\.0\.0|\[::\])(?=:)/, "http://localhost");
}
