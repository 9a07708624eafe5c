import { type Config, ConfigError, loadConfig } from "../config.ts";
import { settledEnvironment } from "../env-file.ts";
import { secret, text, url } from "../setting-kind.ts";
import { optionValue, runCommand } from "./command-line.ts";
import { lookAtEventLog } from "./doctor/event-log.ts";
import { type Finding, fail, lineOf, note, ok, skip } from "./doctor/finding.ts";
import { askReadiness } from "./doctor/running-service.ts";
import { lookAtSubscription } from "./doctor/subscription.ts";
import { lookAtSignatures, lookAtUrls } from "./doctor/webhook.ts";
import { serviceAddress } from "./service-address.ts";

const HELP = `Checks the set-up from the outside in, a line for each thing, with its remedy.

  npm run doctor -- [options]

  --url URL      where the service is [that of this machine, by PORT of the environment or .env]
  --token TOKEN  for the subscription [one of ACCESS_TOKENS, or one signed with JWT_SECRET]
  --post         posts one event of the kind mandrill_live_doctor and sees it arrive; it stays in the log

Without --post no event is written: empty batches are posted, as Mandrill does when it checks a URL, one of them
wrongly signed, and a subscription is handed an event that is there. Each line begins with ok, note (in order, with
something to know), fail or skip. Ends with 1 where anything failed. The service may be running or not.
`;

const OPTIONS = { url: { type: "string" }, token: { type: "string" }, post: { type: "boolean" } } as const;

const SERVICE_URL = url(["http:", "https:"], "an http:// or https:// URL");
const TOKEN = secret(text("a token without blanks", /^\S+$/));

await runCommand({
  name: "doctor",
  help: HELP,
  options: OPTIONS,
  async run(values) {
    const service = optionValue("url", values.url, SERVICE_URL);
    const token = optionValue("token", values.token, TOKEN);
    let failures = 0;
    const tell = (...findings: readonly Finding[]): void => {
      for (const finding of findings) {
        process.stdout.write(lineOf(finding));
        if (finding.state === "fail") failures += 1;
      }
    };
    const config = await configuration(tell);
    if (config !== null) {
      const at = (service ?? serviceAddress(config)).replace(/\/$/, "");
      await examine(config, { at, token, post: values.post ?? false }, tell);
    }
    process.stdout.write(failures === 0 ? "All is well.\n" : `${failures} to mend.\n`);
    return failures === 0 ? 0 : 1;
  },
});

type Tell = (...findings: readonly Finding[]) => void;

/** null where it cannot be used. */
async function configuration(tell: Tell): Promise<Config | null> {
  const what = "configuration";
  try {
    const config = loadConfig(await settledEnvironment(process.env));
    tell(ok(what, `It can be used, for ${config.production ? "production" : "development"}`));
    tell(...notes(what, config.warnings));
    return config;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    tell(
      ...error.problems.map((problem) =>
        fail(what, problem.replace(/\.$/, ""), "Mend it in the environment or in .env"),
      ),
      ...notes(what, error.warnings),
    );
    return null;
  }
}

function notes(what: string, warnings: readonly string[]): Finding[] {
  return warnings.map((warning) => note(what, warning.replace(/\.$/, "")));
}

interface Examination {
  /** Where the service is, without a slash at its end. */
  readonly at: string;
  readonly token: string | undefined;
  readonly post: boolean;
}

async function examine(config: Config, { at, token, post }: Examination, tell: Tell): Promise<void> {
  const readiness = await askReadiness(at);
  tell(...(await lookAtEventLog(config, readiness)));
  tell(...readiness.findings);
  tell(...(await lookAtUrls(config)));
  if (!readiness.answered) {
    tell(...["signed batch", "subscription"].map((what) => skip(what, "Not looked at: the service does not answer")));
    return;
  }
  tell(...(await lookAtSignatures(at, config)));
  tell(await lookAtSubscription({ url: at, config, token, post }));
}
