import createClient from "@mailchimp/mailchimp_transactional";

/** A webhook as Mandrill keeps it. */
export interface RegisteredWebhook {
  readonly id: number;
  readonly url: string;
  readonly key: string;
  /** The kinds of event that it is posted. */
  readonly events: readonly string[];
}

/** Mandrill's webhooks, through its API. Every call rejects with a {@link MandrillError}. */
export interface MandrillApi {
  webhooks(): Promise<readonly RegisteredWebhook[]>;
  /** Mandrill checks the URL before it answers. */
  add(url: string, events: readonly string[]): Promise<RegisteredWebhook>;
  update(webhook: RegisteredWebhook, events: readonly string[]): Promise<RegisteredWebhook>;
}

/** What Mandrill answered instead of doing it. */
export class MandrillError extends Error {
  /** Mandrill's name for it, such as `Invalid_Key`; null where the API was not reached. */
  readonly kind: string | null;

  constructor(message: string, kind: string | null) {
    super(message);
    this.name = "MandrillError";
    this.kind = kind;
  }
}

const BASE_URL = "https://mandrillapp.com/api/1.3";
/** Milliseconds: the URL check has to fit in, and a tunnel is slow. */
const TIMEOUT = 60_000;
const DESCRIPTION = "mandrill-live";

/** @param baseUrl @default Mandrill's own */
export function createMandrillApi(apiKey: string, baseUrl: string | undefined = BASE_URL): MandrillApi {
  const client = createClient(apiKey);
  client.basePath = baseUrl.replace(/\/$/, "");
  client.setDefaultTimeoutMs(TIMEOUT);
  const { webhooks } = client;
  return {
    async webhooks() {
      const list = await answerOf(webhooks.list({}));
      if (!Array.isArray(list)) throw unexpected();
      return list.map(webhookOf);
    },
    add: async (url, events) => webhookOf(await answerOf(webhooks.add({ url, description: DESCRIPTION, events }))),
    update: async ({ id, url }, events) => webhookOf(await answerOf(webhooks.update({ id, url, events }))),
  };
}

function webhookOf(answer: unknown): RegisteredWebhook {
  const { id, url, auth_key: key, events } = Object(answer) as Readonly<Record<string, unknown>>;
  if (typeof id !== "number" || typeof url !== "string" || typeof key !== "string") throw unexpected();
  return { id, url, key, events: Array.isArray(events) ? events.map(String) : [] };
}

/** The client hands an error back as if it were the answer. It holds the API key, and goes no further. */
async function answerOf(call: Promise<unknown>): Promise<unknown> {
  const answer = await call;
  if (!(answer instanceof Error)) return answer;
  const { code, response } = answer as Error & { code?: string; response?: { status: number; data: unknown } };
  if (response === undefined)
    throw new MandrillError(`Mandrill's API cannot be reached (${code ?? "no answer"}).`, null);
  const { name, message } = Object(response.data) as Readonly<Record<string, unknown>>;
  if (typeof name === "string" && typeof message === "string") throw new MandrillError(message, name);
  throw new MandrillError(`Mandrill's API answered ${response.status}.`, null);
}

function unexpected(): MandrillError {
  return new MandrillError("Mandrill's API answered something else than webhooks.", null);
}
