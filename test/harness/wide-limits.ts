import type { LogLimits } from "../../src/event-log/event-log.ts";

const DAY_MS = 86_400_000;

/** Limits that no test reaches unless it narrows them. */
export const WIDE_LIMITS: LogLimits = {
  retentionEvents: 1_000_000,
  retentionMs: 30 * DAY_MS,
  deduplicationMs: 7 * DAY_MS,
  deduplicationEvents: 1_000_000,
};
