import { ServiceError } from "../error.ts";

/** What Mandrill posts, for whoever reads a refusal. */
export const EXPECTED_BODY =
  "application/x-www-form-urlencoded with one parameter mandrill_events, a JSON array of events; " +
  "or, where signatures are not checked, application/json with the array itself";

/** A body that is no batch: the sentence says what is wrong with it. */
export function malformed(message: string): ServiceError {
  return new ServiceError("BATCH_MALFORMED", message, { expected: EXPECTED_BODY });
}
