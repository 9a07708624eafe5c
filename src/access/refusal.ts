import { ServiceError } from "../error.ts";

/** Nobody is let in by this credential, or there is none: another one may be good. */
export function unauthenticated(message: string): ServiceError {
  return new ServiceError("UNAUTHENTICATED", message);
}

/** The token was good and its time is over. */
export function tokenExpired(): ServiceError {
  return unauthenticated("Token expired");
}

/** The token was good and has been revoked. */
export function tokenRevoked(): ServiceError {
  return unauthenticated("Token revoked");
}

export function tokenInvalid(): ServiceError {
  return unauthenticated("The token is not valid.");
}
