/**
 * The one table of what can go wrong: docs/errors.md has a row for each code, and a test holds the two together.
 * `status` is answered over plain HTTP, `close` ends a WebSocket where the code ends the whole connection, and
 * `retryable` says whether the same request may succeed later.
 */
export const ERRORS = {
  BAD_USER_INPUT: { status: 400, close: null, retryable: false },
  UNAUTHENTICATED: { status: 401, close: 4401, retryable: false },
  FORBIDDEN: { status: 403, close: 4403, retryable: false },
  LIMIT_EXCEEDED: { status: 429, close: 4429, retryable: true },
  CURSOR_EXPIRED: { status: 410, close: null, retryable: false },
  CURSOR_UNKNOWN: { status: 410, close: null, retryable: false },
  SUBSCRIBER_LAGGED: { status: 410, close: null, retryable: true },
  LOG_UNAVAILABLE: { status: 503, close: 1013, retryable: true },
  KEYS_UNAVAILABLE: { status: 503, close: 1013, retryable: true },
  METRICS_UNAVAILABLE: { status: 503, close: null, retryable: true },
  SHUTTING_DOWN: { status: 503, close: 1012, retryable: true },
  INTERNAL: { status: 500, close: 1011, retryable: true },
  OPERATION_UNKNOWN: { status: 404, close: null, retryable: false },
  NOT_FOUND: { status: 404, close: null, retryable: false },
  METHOD_NOT_ALLOWED: { status: 405, close: null, retryable: false },
  NOT_ACCEPTABLE: { status: 406, close: null, retryable: false },
  REQUEST_TIMEOUT: { status: 408, close: null, retryable: true },
  BODY_TOO_LARGE: { status: 413, close: null, retryable: false },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, close: null, retryable: false },
  BATCH_MALFORMED: { status: 400, close: null, retryable: false },
  SIGNATURE_MISSING: { status: 401, close: null, retryable: false },
  SIGNATURE_MISMATCH: { status: 401, close: null, retryable: false },
} as const satisfies Record<string, { status: number; close: number | null; retryable: boolean }>;

export type ErrorCode = keyof typeof ERRORS;

/** An error that may be told to whoever caused it: a code of {@link ERRORS}, a sentence, and extensions. */
export class ServiceError extends Error {
  readonly code: ErrorCode;
  /** Goes out beside `code` in a GraphQL error's extensions and in a JSON body. */
  readonly extensions: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, extensions: Readonly<Record<string, unknown>> = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "ServiceError";
    this.code = code;
    this.extensions = extensions;
  }

  get status(): number {
    return ERRORS[this.code].status;
  }
}

/** The log cannot be reached or cannot take events; trying again later may succeed. */
export function logUnavailable(message: string, cause?: unknown): ServiceError {
  return new ServiceError("LOG_UNAVAILABLE", message, {}, cause);
}

/** The log no longer holds what follows the cursor. Both extensions are cursors, null where the log is empty. */
export function cursorExpired(oldest: string | null, head: string | null): ServiceError {
  return new ServiceError("CURSOR_EXPIRED", "The log no longer holds what follows this cursor.", { oldest, head });
}

/** The cursor is of another log, or no cursor at all. Both extensions are cursors, null where unknown. */
export function cursorUnknown(oldest: string | null, head: string | null): ServiceError {
  return new ServiceError("CURSOR_UNKNOWN", "This cursor is of another log, or no cursor at all.", { oldest, head });
}
