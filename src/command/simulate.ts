import { randomInt } from "node:crypto";
import { type Config, loadConfig } from "../config.ts";
import { settledEnvironment } from "../env-file.ts";
import { listOf, oneOf, type SettingKind, secret, text, url, wholeNumber } from "../setting-kind.ts";
import { maskedUrl } from "../telemetry/masked-url.ts";
import { optionValue, runCommand, UsageError } from "./command-line.ts";
import { createProgress } from "./progress.ts";
import { serviceAddress } from "./service-address.ts";
import { createEventStream } from "./simulate/event-stream.ts";
import { SIMULATED_TYPES } from "./simulate/life-plan.ts";
import { createPosting } from "./simulate/posting.ts";
import { createRandom } from "./simulate/random.ts";
import type { SignedFor } from "./simulate/signed-batch.ts";
import { simulate, type Tally } from "./simulate/simulation.ts";

const HELP = `Plays Mandrill: posts signed batches of sample events, each message's life in order.

  npm run simulate -- [options]

  --url URL          where to post [the service of this machine, by PORT of the environment or .env]
  --signed-url URL   the URL that is signed, as it is typed into Mandrill
                     [for a URL of this machine MANDRILL_WEBHOOK_URLS, its first; else --url]
  --key KEY          the webhook's key [MANDRILL_WEBHOOK_KEYS, its first; none: batches are not signed]
  --rate N           events a second [20]
  --count N          events in all [1000]
  --forever          until Ctrl-C
  --types LIST       only these kinds, with commas between them [all]:
                     ${SIMULATED_TYPES.slice(0, 8).join(", ")},
                     ${SIMULATED_TYPES.slice(8).join(", ")}
  --duplicates P%    share of the events that comes again, in whole batches, as when a 200 is lost [0%]
  --retries N        how often a batch that is not answered 200 is posted again [100, as Mandrill]
  --seed N           the same seed gives the same messages, recipients and order; times are those of the run

Ends with 0 when everything was answered 200, with 1 when something was given up, with 2 for a bad option.
`;

const OPTIONS = {
  url: { type: "string" },
  "signed-url": { type: "string" },
  key: { type: "string" },
  rate: { type: "string" },
  count: { type: "string" },
  forever: { type: "boolean" },
  types: { type: "string" },
  duplicates: { type: "string" },
  retries: { type: "string" },
  seed: { type: "string" },
} as const;

const MOST_EVENTS = 1_000_000_000;
/** A batch of 1,000 events every 10 ms: more than any service of one process takes. */
const FASTEST = 100_000;

const RATE: SettingKind<number> = {
  allowed: `events a second, more than 0 and up to ${FASTEST}, fractions included`,
  parse(given) {
    const rate = /^(?:\d{1,9}(?:\.\d{0,9})?|\.\d{1,9})$/.test(given) ? Number(given) : 0;
    return rate > 0 && rate <= FASTEST ? rate : undefined;
  },
};

const SHARE: SettingKind<number> = {
  allowed: "0% to 100%",
  parse(given) {
    const share = /^\d{1,3}(?:\.\d{1,3})?%?$/.test(given) ? Number(given.replace("%", "")) / 100 : undefined;
    return share !== undefined && share <= 1 ? share : undefined;
  },
};

const WEBHOOK_URL = url(["http:", "https:"], "an http:// or https:// URL");
const WEBHOOK_KEY = secret(text("a key without blanks", /^\S+$/));
const TYPES = listOf(oneOf(SIMULATED_TYPES), `${SIMULATED_TYPES.join(", ")}, with commas between them`);

await runCommand({
  name: "simulate",
  help: HELP,
  options: OPTIONS,
  async run(values, signal) {
    if (values.forever === true && values.count !== undefined) {
      throw new UsageError("--forever and --count exclude each other.");
    }
    const config = loadConfig(await settledEnvironment(process.env));
    const target = optionValue("url", values.url, WEBHOOK_URL) ?? `${serviceAddress(config)}/mandrill`;
    const signedFor = signedForOf(
      target,
      optionValue("signed-url", values["signed-url"], WEBHOOK_URL),
      optionValue("key", values.key, WEBHOOK_KEY),
      config,
    );
    const rate = optionValue("rate", values.rate, RATE) ?? 20;
    const wanted = optionValue("count", values.count, wholeNumber(1, MOST_EVENTS)) ?? 1_000;
    const count = values.forever === true ? Number.POSITIVE_INFINITY : wanted;
    const types = optionValue("types", values.types, TYPES) ?? SIMULATED_TYPES;
    const duplicates = optionValue("duplicates", values.duplicates, SHARE) ?? 0;
    const mostRetries = optionValue("retries", values.retries, wholeNumber(0, 1_000_000)) ?? 100;
    const seed = optionValue("seed", values.seed, wholeNumber(0, MOST_EVENTS)) ?? randomInt(MOST_EVENTS);

    const progress = createProgress({ stream: process.stderr, what: "events", total: count });
    progress.say(`Posting to ${maskedUrl(target)}, ${signedFor === null ? "unsigned" : "signed"}, seed ${seed}.`);
    const retrying = { count: 0, reason: "" };
    let givenUpFor = "";
    const posting = createPosting({
      url: target,
      retries: mostRetries,
      // Its own: how often something is refused must not change what is posted.
      random: createRandom(seed),
      onRetry(reason) {
        retrying.count += 1;
        if (reason !== retrying.reason) progress.say(`Not taken (${reason}): the same batch again until it is.`);
        retrying.reason = reason;
      },
      onGiveUp(reason) {
        if (reason !== givenUpFor) progress.say(`Given up (${reason}).`);
        givenUpFor = reason;
      },
      signal,
    });
    const startedAt = performance.now();
    const tally = await simulate({
      stream: createEventStream(createRandom(seed), new Set(types)),
      posting,
      signedFor,
      rate,
      count,
      duplicates,
      onProgress({ events, lost }) {
        if (retrying.reason !== "" && lost === 0) progress.say("Taken again.");
        retrying.reason = "";
        progress.update(events);
      },
      signal,
    });
    progress.end();
    process.stdout.write(
      summary(tally, { retries: retrying.count, seed, seconds: (performance.now() - startedAt) / 1_000 }),
    );
    return tally.lost === 0 ? 0 : 1;
  },
});

/** What batches are signed for: the URL that the receiver is set up with, which behind a tunnel is not where it is. */
function signedForOf(
  target: string,
  url: string | undefined,
  key: string | undefined,
  { webhook }: Config,
): SignedFor | null {
  const usedKey = key ?? webhook.keys[0];
  if (usedKey === undefined) return null;
  const isHere = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(new URL(target).hostname);
  return { key: usedKey, url: url ?? (isHere ? webhook.urls[0] : undefined) ?? target };
}

interface Run {
  readonly retries: number;
  readonly seed: number;
  readonly seconds: number;
}

function summary(tally: Tally, { retries, seed, seconds }: Run): string {
  const { events, batches, repeated, acknowledged, duplicates, lost } = tally;
  const rows: readonly (readonly [string, string])[] = [
    ["posted", `${events} events in ${batches} batches, ${(events / seconds).toFixed(1)} a second`],
    ["posted twice", `${repeated} batches, as if the answer had been lost`],
    ["acknowledged", `${acknowledged} events`],
    ["duplicates", duplicates === null ? "not told by the service" : `${duplicates}, as the service counted`],
    ["retries", String(retries)],
    ["given up", `${lost} events`],
    ["time", `${seconds.toFixed(1)} s`],
    ["seed", String(seed)],
  ];
  return rows.map(([name, value]) => `  ${name.padEnd(12)}  ${value}\n`).join("");
}
