import { ServiceError } from "../error.ts";

/** Nodes, requests or buckets that one field answers with at the most: a page of a client, not a way to copy the log. */
const MAX_COUNT = 500;

/** The value of a count argument, `fallback` where it is null. Throws BAD_USER_INPUT outside of 1 to 500. */
export function countArgument(argument: string, value: number | null | undefined, fallback: number): number {
  const count = value ?? fallback;
  if (count >= 1 && count <= MAX_COUNT) return count;
  throw new ServiceError("BAD_USER_INPUT", `${argument} must be between 1 and ${MAX_COUNT}; it is ${count}.`, {
    argument,
  });
}
