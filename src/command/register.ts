import type { Environment } from "../config.ts";
import { ENV_FILE, environmentWith } from "../env-file.ts";
import { EVENT_TYPES } from "../event/event-type.ts";
import { type SettingKind, secret, text, url } from "../setting-kind.ts";
import { maskedUrl } from "../telemetry/masked-url.ts";
import { optionValue, runCommand, UsageError } from "./command-line.ts";
import { writeVariables } from "./env-file.ts";
import { createMandrillApi, type MandrillApi, MandrillError, type RegisteredWebhook } from "./register/mandrill-api.ts";

/** Every kind that Mandrill posts to a webhook: those of messages, then those of its lists. Inbound mail has routes. */
const EVENTS = EVENT_TYPES.filter((type) => type !== "inbound" && type !== "other");

const HELP = `Registers a webhook with Mandrill, for all kinds of event, and prints its key.

  npm run mandrill:register -- --url https://… [options]

  --url URL       the public URL of this service's /mandrill; the service must be running, for Mandrill checks it
  --api-key KEY   of your Mandrill account [MANDRILL_API_KEY of the environment or .env]
  --write-env     writes MANDRILL_WEBHOOK_URLS and MANDRILL_WEBHOOK_KEYS to .env, and leaves its other lines alone
  --keep          adds to what these two lines say, for a service with several webhooks
  --api URL       another address of Mandrill's API

A URL that is registered already is not registered again: its key is printed, and kinds that it lacks are added.
`;

const OPTIONS = {
  url: { type: "string" },
  "api-key": { type: "string" },
  "write-env": { type: "boolean" },
  keep: { type: "boolean" },
  api: { type: "string" },
} as const;

const API_KEY = secret(text("a key without blanks", /^\S+$/));
const HTTP_URL = url(["http:", "https:"], "an http:// or https:// URL");
// It is one of a list in MANDRILL_WEBHOOK_URLS.
const WEBHOOK_URL: SettingKind<string> = {
  ...HTTP_URL,
  allowed: "an http:// or https:// URL without commas",
  parse: (given) => (given.includes(",") ? undefined : HTTP_URL.parse(given)),
};

await runCommand({
  name: "mandrill:register",
  help: HELP,
  options: OPTIONS,
  async run(values) {
    const environment = await environmentWith(ENV_FILE, process.env);
    const webhookUrl = optionValue("url", values.url, WEBHOOK_URL);
    if (webhookUrl === undefined) throw new UsageError("--url is missing: the public URL of this service's /mandrill.");
    const apiKey = optionValue("api-key", values["api-key"] ?? (environment.MANDRILL_API_KEY || undefined), API_KEY);
    if (apiKey === undefined) throw new UsageError("--api-key is missing, and MANDRILL_API_KEY is not set.");
    if (values.keep === true && values["write-env"] !== true) throw new UsageError("--keep goes with --write-env.");
    const api = createMandrillApi(apiKey, optionValue("api", values.api, HTTP_URL));

    const { webhook, said } = await register(api, webhookUrl).catch((error: unknown) => {
      throw error instanceof MandrillError ? new Error(inWords(error, webhookUrl), { cause: error }) : error;
    });
    process.stdout.write(`${said}\nIts key: ${webhook.key}\n`);
    const variables = values.keep === true ? added(environment, webhook) : settingsOf([webhook.url], [webhook.key]);
    if (values["write-env"] === true) {
      await writeVariables(ENV_FILE, variables);
      process.stdout.write(`Written to ${ENV_FILE}: ${Object.keys(variables).join(", ")}. Restart the service.\n`);
    } else {
      const lines = Object.entries(variables).map(([name, value]) => `  ${name}=${value}\n`);
      process.stdout.write(`Start the service with (or let --write-env write it to ${ENV_FILE}):\n${lines.join("")}`);
    }
    return 0;
  },
});

interface Registration {
  readonly webhook: RegisteredWebhook;
  /** What was done, for a person. */
  readonly said: string;
}

async function register(api: MandrillApi, webhookUrl: string): Promise<Registration> {
  const shown = maskedUrl(webhookUrl);
  // A second webhook of this URL would bring every event twice.
  const known = (await api.webhooks()).find((webhook) => webhook.url === webhookUrl);
  if (known === undefined) {
    const webhook = await api.add(webhookUrl, EVENTS);
    return { webhook, said: `Registered ${shown} as webhook ${webhook.id}, for ${EVENTS.length} kinds of event.` };
  }
  const already = `${shown} is registered already, as webhook ${known.id}`;
  const missing = EVENTS.filter((event) => !known.events.includes(event));
  if (missing.length === 0) return { webhook: known, said: `${already}, for all kinds of event.` };
  const webhook = await api.update(known, [...new Set([...known.events, ...EVENTS])]);
  return { webhook, said: `${already}; added the kinds that it lacked: ${missing.join(", ")}.` };
}

/** One sentence, or two: what Mandrill said, and what to do. */
function inWords({ kind, message }: MandrillError, webhookUrl: string): string {
  switch (kind) {
    case null:
      return message;
    case "Invalid_Key":
      return "Mandrill does not know this API key. Its Settings show yours under API Keys.";
    case "ValidationError":
      return `Mandrill does not take ${maskedUrl(webhookUrl)}: ${ended(message)} ${urlHint(webhookUrl)}`;
    default:
      return `Mandrill answered ${kind}: ${ended(message)}`;
  }
}

function urlHint(webhookUrl: string): string {
  return /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(new URL(webhookUrl).hostname)
    ? "This is an address of this machine alone: give it a tunnel (ngrok, cloudflared), and Mandrill the tunnel's URL."
    : "It asks the URL with HEAD, then with an empty POST, and wants 200: does the service run, and is the path /mandrill?";
}

function ended(message: string): string {
  return /[.!?]$/.test(message) ? message : `${message}.`;
}

function settingsOf(urls: readonly string[], keys: readonly string[]): Readonly<Record<string, string>> {
  return { MANDRILL_WEBHOOK_URLS: urls.join(","), MANDRILL_WEBHOOK_KEYS: keys.join(",") };
}

function added(
  environment: Environment,
  { url: webhookUrl, key }: RegisteredWebhook,
): Readonly<Record<string, string>> {
  const withNew = (list: string | undefined, item: string): readonly string[] => {
    const items = (list ?? "").split(",").map((one) => one.trim());
    return [...new Set([...items.filter((one) => one !== ""), item])];
  };
  return settingsOf(
    withNew(environment.MANDRILL_WEBHOOK_URLS, webhookUrl),
    withNew(environment.MANDRILL_WEBHOOK_KEYS, key),
  );
}
