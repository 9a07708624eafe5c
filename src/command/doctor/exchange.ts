import { httpTarget } from "../http-target.ts";

/** Milliseconds for an answer. */
const TIMEOUT = 10_000;

export interface Answer {
  readonly status: number;
  readonly text: string;
  /** The Date header, milliseconds since the Unix epoch; NaN where there is none. */
  readonly date: number;
}

/** One request, and its answer; or why there is none, in words that name no address. A redirection is an answer. */
export async function exchange(url: string, init: RequestInit = {}): Promise<Answer | string> {
  const { target, headers } = httpTarget(url);
  try {
    const response = await fetch(target, {
      ...init,
      headers: { ...headers, ...(init.headers as Record<string, string> | undefined) },
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT),
    });
    const date = Date.parse(response.headers.get("date") ?? "");
    return { status: response.status, text: await response.text(), date };
  } catch (error) {
    if ((error as Error).name === "TimeoutError") return `no answer within ${TIMEOUT / 1_000} s`;
    const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
    return code ?? "the connection failed";
  }
}
