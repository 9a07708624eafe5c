import type { Logger } from "pino";
import type { EventLog } from "../event-log/event-log.ts";

/** How often the list is looked at. A token that is revoked anywhere must hold nowhere 2 s later. Milliseconds. */
const LOOK_INTERVAL = 1_000;

export interface RevocationsOptions {
  readonly eventLog: Pick<EventLog, "revokedTokens">;
  readonly logger: Pick<Logger, "warn" | "info">;
  /** Called when the list has changed. */
  readonly onChange: () => void;
}

/** The revocation list, as this process last read it. */
export interface Revocations {
  start(): void;
  stop(): void;
  /**
   * Whether the token is on the list. Rejects with LOG_UNAVAILABLE while the list was never read. An older list is
   * good enough while the log is away: what a revoked token would show comes from there as well.
   */
  check(tokenId: string): Promise<boolean>;
  /** The same, of the list as it is known. */
  has(tokenId: string): boolean;
}

export function createRevocations({ eventLog, logger, onChange }: RevocationsOptions): Revocations {
  let revoked: ReadonlySet<string> = new Set();
  let revision: string | null = null;
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> | null = null;
  let failing = false;

  const look = (): Promise<void> => {
    looking ??= eventLog
      .revokedTokens(revision)
      .then((list) => {
        if (failing) logger.info("the list of revoked tokens can be read again");
        failing = false;
        if (list === null) return;
        revision = list.revision;
        revoked = new Set(list.tokenIds);
        onChange();
      })
      .finally(() => {
        looking = null;
      });
    return looking;
  };

  const lookOrTell = (): void => {
    look().catch((error: unknown) => {
      // Only the first of a row is told.
      if (!failing) logger.warn({ err: error }, "the list of revoked tokens cannot be read");
      failing = true;
    });
  };

  return {
    start() {
      timer = setInterval(lookOrTell, LOOK_INTERVAL);
      lookOrTell();
    },
    stop: () => clearInterval(timer),
    async check(tokenId) {
      if (revision === null) await look();
      return revoked.has(tokenId);
    },
    has: (tokenId) => revoked.has(tokenId),
  };
}
