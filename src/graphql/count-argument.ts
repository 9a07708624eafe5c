import { ServiceError } from "../error.ts";

/** Nodes, requests or buckets that one field answers with at the most: a page of a client, not a way to copy the log. */
const MAX_COUNT = 500;

/**
 * The value of a count argument, `fallback` where it is null. Throws BAD_USER_INPUT outside of 1 to 500, or to the
 * operator's own `maxFirst`; what a client has not asked for is cut to that.
 */
export function countArgument(
  argument: string,
  value: number | null | undefined,
  fallback: number,
  { maxFirst = MAX_COUNT }: { readonly maxFirst?: number | undefined },
): number {
  const count = value === null || value === undefined || value === fallback ? Math.min(fallback, maxFirst) : value;
  if (count >= 1 && count <= maxFirst) return count;
  throw new ServiceError("BAD_USER_INPUT", `${argument} must be between 1 and ${maxFirst}; it is ${count}.`, {
    argument,
  });
}
