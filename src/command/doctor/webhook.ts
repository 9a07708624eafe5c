import type { Config } from "../../config.ts";
import type { SignedFor } from "../simulate/signed-batch.ts";
import { batchRequest } from "../simulate/signed-batch.ts";
import { judgeClock } from "./clock.ts";
import { type Answer, exchange } from "./exchange.ts";
import { type Finding, fail, note, ok } from "./finding.ts";

/** No webhook has this key, whatever the service is set up with. */
const WRONG_KEY = "mandrill-live-doctor-signs-wrongly";

const RESTART = "The running service was started with other settings than these: start it again";

/** An empty batch, which changes nothing: Mandrill sends one when it checks a URL. Signed for nobody with null. */
function postEmpty(url: string, signedFor: SignedFor | null): Promise<Answer | string> {
  const { body, headers } = batchRequest([], signedFor);
  return exchange(url, { method: "POST", body, headers: { ...headers } });
}

/** How an answer that was not wanted is told. */
function shown(answer: Answer | string): string {
  if (typeof answer === "string") return answer;
  const { code } = jsonOf(answer.text);
  return typeof code === "string" ? `${answer.status} ${code}` : `${answer.status}`;
}

function jsonOf(text: string): { readonly code?: unknown } {
  try {
    return (JSON.parse(text) ?? {}) as { code?: unknown };
  } catch {
    return {};
  }
}

function isAnswered(answer: Answer | string, status: number): answer is Answer {
  return typeof answer !== "string" && answer.status === status;
}

/**
 * Whether the service of this machine takes what is signed under the configured keys and URLs, and nothing else.
 *
 * @param url where the service listens
 */
export async function lookAtSignatures(url: string, { webhook }: Config): Promise<Finding[]> {
  const target = `${url}/mandrill`;
  if (webhook.keys.length === 0) return [await unsigned(target)];
  const pairs = webhook.keys.flatMap((key) => webhook.urls.map((signed) => ({ key, url: signed })));
  const refused: string[] = [];
  for (const pair of pairs) {
    const answer = await postEmpty(target, pair);
    if (!isAnswered(answer, 200)) refused.push(shown(answer));
  }
  const right =
    refused.length === 0
      ? ok(
          "signed batch",
          `Taken, under ${counted(webhook.keys.length, "key")} and ${counted(webhook.urls.length, "URL")}`,
        )
      : fail(
          "signed batch",
          `Not taken (${refused[0]}) under ${refused.length} of ${pairs.length} keys and URLs`,
          RESTART,
        );
  const wrong = await postEmpty(target, { key: WRONG_KEY, url: webhook.urls[0] as string });
  return [
    right,
    isAnswered(wrong, 401)
      ? ok("wrongly signed batch", "Refused")
      : fail("wrongly signed batch", `Not refused with 401, but answered ${shown(wrong)}`, RESTART),
  ];
}

async function unsigned(target: string): Promise<Finding> {
  const answer = await postEmpty(target, null);
  if (!isAnswered(answer, 200)) return fail("unsigned batch", `Not taken: ${shown(answer)}`, RESTART);
  return note(
    "unsigned batch",
    "Taken, from whoever reaches the service",
    "Set MANDRILL_WEBHOOK_KEYS (npm run mandrill:register)",
  );
}

/** Whether each configured URL leads here, as Mandrill checks it: with HEAD, then with a signed empty batch. */
export async function lookAtUrls({ webhook }: Config): Promise<Finding[]> {
  if (webhook.urls.length === 0) {
    return [note("webhook URL", "None is set", "Set MANDRILL_WEBHOOK_URLS when Mandrill is to post here")];
  }
  const findings: Finding[] = [];
  for (const [i, url] of webhook.urls.entries()) {
    const what = webhook.urls.length === 1 ? "webhook URL" : `webhook URL ${i + 1}`;
    const { clock, finding } = await lookAtUrl(what, url, webhook.keys[0]);
    // One line says it: they are answered by machines of one site.
    if (i === 0 && clock !== null) findings.push(clock);
    findings.push(finding);
  }
  return findings;
}

async function lookAtUrl(
  what: string,
  url: string,
  key: string | undefined,
): Promise<{ readonly clock: Finding | null; readonly finding: Finding }> {
  const head = await exchange(url, { method: "HEAD" });
  if (typeof head === "string") {
    const said = `It is not reached from here: ${head}`;
    const remedy =
      "Mandrill has to reach it from the internet: mind DNS, TLS and firewall. Some networks do not let a machine in by its own public name: then ask from outside (curl -I)";
    return { clock: null, finding: fail(what, said, remedy) };
  }
  const clock = Number.isNaN(head.date) ? null : judgeClock("the webhook URL", head.date, Date.now());
  const astray = "See that it is this service's /mandrill, and that the proxy passes everything on unchanged";
  if (head.status !== 200) return { clock, finding: fail(what, `HEAD is answered ${head.status}, not 200`, astray) };
  const answer = await postEmpty(url, key === undefined ? null : { key, url });
  const finding = isAnswered(answer, 200)
    ? ok(what, "Reached from here; it answers HEAD and takes an empty batch")
    : fail(what, `It answers HEAD, and an empty batch with ${shown(answer)}`, astray);
  return { clock, finding };
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
