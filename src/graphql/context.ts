import type { Scope } from "../access/scope.ts";
import type { EventLog } from "../event-log/event-log.ts";

/**
 * All that the execution of an event may know of its viewer. Subscribers of equal scope share one execution and
 * its encoded result, so what is not in here cannot leak from one to another: nothing else of a viewer belongs here.
 */
export interface EventContext {
  readonly scope: Scope;
}

/** What the fields of `Query` work with. */
export interface QueryContext extends EventContext {
  readonly eventLog: EventLog;
  /** Largest `first` and most `buckets`. @default 500 */
  readonly maxFirst?: number | undefined;
  /**
   * Goes on with a fresh token on the connection that asks; resolves to when that expires, milliseconds since the Unix
   * epoch, Infinity where it does not. Absent where there is no connection that stays.
   */
  readonly renewToken?: ((token: string) => Promise<number>) | undefined;
}
