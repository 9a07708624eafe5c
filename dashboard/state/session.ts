import { type Cell, createCell } from "./cell.ts";

/** Remembers that a token was handed in here, since the cookie itself is hidden from scripts. */
const REMEMBERED = "mandrill-live.logged-in";

/** Whether the service wants to know who reads, and how it is told. */
export interface Session {
  /** Whether a token is asked for: the service has answered UNAUTHENTICATED. */
  readonly isNeeded: Pick<Cell<boolean>, "get" | "subscribe">;
  /** Whether there is something to log out of. */
  isLoggedIn(): boolean;
  /** The service has answered UNAUTHENTICATED. */
  need(): void;
  /** Hands the token in for a cookie. Resolves to null, or to a sentence that says why it was refused. */
  logIn(token: string): Promise<string | null>;
  logOut(): Promise<void>;
}

export function createSession(url: URL): Session {
  const isNeeded = createCell(false);
  return {
    isNeeded,
    isLoggedIn: () => localStorage.getItem(REMEMBERED) !== null,
    need: () => isNeeded.set(true),
    async logIn(token) {
      let response: Response;
      try {
        response = await fetch(url, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ token }),
        });
      } catch {
        return "The service cannot be reached. Try again in a moment.";
      }
      if (!response.ok) return (await sentenceIn(response)) ?? "The service does not take this token.";
      localStorage.setItem(REMEMBERED, "yes");
      isNeeded.set(false);
      return null;
    },
    async logOut() {
      await fetch(url, { method: "DELETE" });
      localStorage.removeItem(REMEMBERED);
      location.reload();
    },
  };
}

async function sentenceIn(response: Response): Promise<string | null> {
  try {
    const { message } = (await response.json()) as { message?: unknown };
    return typeof message === "string" ? message : null;
  } catch {
    return null;
  }
}
