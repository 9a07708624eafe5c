import { setTimeout as pause } from "node:timers/promises";
import { httpTarget } from "../http-target.ts";
import type { Random } from "./random.ts";
import type { BatchRequest } from "./signed-batch.ts";

/** What a batch was answered with in the end. */
export interface Receipt {
  /** As the service counted them; null where it does not tell. */
  readonly duplicates: number | null;
}

export interface PostingOptions {
  /** Where to post; user and password in it go along as Basic authorization. */
  readonly url: string;
  /** How often a batch is tried again before it is given up. */
  readonly retries: number;
  readonly random: Random;
  /** Told why an attempt was not answered 200, before the next one is waited for. */
  readonly onRetry: (reason: string) => void;
  /** Told why the last attempt was not answered 200. */
  readonly onGiveUp: (reason: string) => void;
  readonly signal: AbortSignal;
}

/** Posting as Mandrill does it: whatever is not 200 is posted again, at random and growing intervals. */
export interface Posting {
  /** null where it was given up, or stopped. */
  post(request: BatchRequest): Promise<Receipt | null>;
}

/** Milliseconds before the first retry, about, and at the most before a later one. Mandrill's own are minutes. */
const FIRST_PAUSE = 400;
const LONGEST_PAUSE = 10_000;
/** Milliseconds for an answer, which comes when a batch is durable. */
const ANSWER_TIMEOUT = 30_000;

export function createPosting({ url, retries, random, onRetry, onGiveUp, signal }: PostingOptions): Posting {
  const { target, headers } = httpTarget(url);

  /** The receipt, or why there is none. */
  async function attempt({ body, headers: own }: BatchRequest): Promise<Receipt | string> {
    try {
      const response = await fetch(target, {
        method: "POST",
        body,
        headers: { ...headers, ...own },
        // To Mandrill a redirection is not 200.
        redirect: "manual",
        signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_TIMEOUT)]),
      });
      const answer = answerOf(await response.text());
      if (response.status !== 200) return refusalOf(response.status, answer);
      return { duplicates: typeof answer.duplicates === "number" ? answer.duplicates : null };
    } catch (error) {
      return failureOf(error);
    }
  }

  /** Milliseconds: twice as long each time, and by chance up to half as long again. */
  const pauseBefore = (retry: number): number =>
    Math.round(Math.min(FIRST_PAUSE * 2 ** retry, LONGEST_PAUSE) * (1 + random.below(50) / 100));

  return {
    async post(request) {
      for (let retry = 0; ; retry += 1) {
        const outcome = await attempt(request);
        if (typeof outcome !== "string") return outcome;
        if (signal.aborted) return null;
        if (retry === retries) {
          onGiveUp(outcome);
          return null;
        }
        onRetry(outcome);
        await pause(pauseBefore(retry), undefined, { signal }).catch(() => {});
        if (signal.aborted) return null;
      }
    },
  };
}

type Answer = Readonly<Record<string, unknown>>;

function answerOf(text: string): Answer {
  try {
    const answer: unknown = JSON.parse(text);
    return typeof answer === "object" && answer !== null ? (answer as Answer) : {};
  } catch {
    return {};
  }
}

function refusalOf(status: number, { code, message }: Answer): string {
  const why = typeof code === "string" ? ` ${code}: ${message}` : "";
  const hint = code === "SIGNATURE_MISSING" ? " Give the webhook's key with --key, or in MANDRILL_WEBHOOK_KEYS." : "";
  return `${status}${why}${hint}`;
}

function failureOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return `no answer within ${ANSWER_TIMEOUT / 1_000} s`;
  const cause = error.cause as NodeJS.ErrnoException | undefined;
  if (cause?.code === "ECONNREFUSED") return "nothing listens there: is the service started (npm start)?";
  return cause?.message || cause?.code || error.message;
}
