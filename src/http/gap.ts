import { ServiceError } from "../error.ts";
import type { EventLog } from "../event-log/event-log.ts";

/** Whether the log does not hold what follows a cursor: events may be missing. */
export function isGap({ code }: ServiceError): boolean {
  return code === "CURSOR_EXPIRED" || code === "CURSOR_UNKNOWN";
}

/** Where the log reaches from and to behind a gap, as cursors. */
export interface Gap {
  /** null while the log is empty. */
  readonly oldest: string | null;
  /** From here it goes on. */
  readonly head: string;
}

/**
 * What to tell of a gap to who has no other way to ask. An error names no head while the log is empty: the log is
 * asked then, for it is a place like any other. Rejects where the log is away.
 */
export async function gapOf({ extensions }: ServiceError, eventLog: Pick<EventLog, "head">): Promise<Gap> {
  const { oldest, head } = extensions as { oldest?: string | null; head?: string | null };
  return { oldest: oldest ?? null, head: head ?? (await eventLog.head()).cursor };
}

/** The error of a gap, with all that its client needs to go on. Rejects where the log is away. */
export async function withGap(error: ServiceError, eventLog: Pick<EventLog, "head">): Promise<ServiceError> {
  return new ServiceError(error.code, error.message, { ...(await gapOf(error, eventLog)) }, error);
}
