import { judgeClock } from "./clock.ts";
import { exchange } from "./exchange.ts";
import { type Finding, fail, ok } from "./finding.ts";

interface Check {
  readonly ok: boolean;
  readonly reason?: string | undefined;
}

/** What the service says of itself at `/ready`. */
export interface Readiness {
  /** Whether it is this service that answers. */
  readonly answered: boolean;
  readonly checks: Readonly<Record<string, Check>>;
  readonly findings: readonly Finding[];
}

const WHAT = "service";

/** @param url where the service listens */
export async function askReadiness(url: string): Promise<Readiness> {
  const answer = await exchange(`${url}/ready`);
  const silent = (finding: Finding): Readiness => ({ answered: false, checks: {}, findings: [finding] });
  if (typeof answer === "string") {
    return silent(
      fail(WHAT, `It does not answer: ${answer}`, "Start it (npm start), or give --url if it listens elsewhere"),
    );
  }
  const checks = checksOf(answer.text);
  if (checks === null) {
    return silent(fail(WHAT, `Something else answers on its port, with ${answer.status}`, "Set PORT to a free one"));
  }
  const reasons = Object.values(checks).flatMap(({ ok: isOk, reason }) => (isOk ? [] : (reason ?? "not ready")));
  const finding =
    answer.status === 200
      ? ok(WHAT, "It is ready")
      : fail(
          WHAT,
          `It is not ready: ${reasons.join(" ").replace(/\.$/, "")}`,
          "It goes on by itself when that is mended",
        );
  return { answered: true, checks, findings: [finding, judgeClock("the service", answer.date, Date.now())] };
}

function checksOf(text: string): Readonly<Record<string, Check>> | null {
  try {
    const { checks } = JSON.parse(text) as { checks?: Record<string, Check> };
    return checks?.eventLog === undefined ? null : checks;
  } catch {
    return null;
  }
}
