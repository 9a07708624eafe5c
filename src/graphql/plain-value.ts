/** What graphql-js' default resolver gives, where it is no method. */
export function propertyOf(source: unknown, name: string): unknown {
  const value = typeof source === "object" ? (source as Record<string, unknown> | null)?.[name] : undefined;
  if (typeof source === "function" || typeof value === "function") throw new TypeError("a method is to be called");
  return value;
}

/** The same value, where it is no error and need not be waited for. */
export function plain(value: unknown): unknown {
  if (typeof value !== "object" && typeof value !== "function") return value;
  if (value instanceof Error) throw value;
  if (typeof (value as { then?: unknown } | null)?.then === "function") throw new TypeError("a promise is to settle");
  return value;
}

export function isIterable(value: unknown): value is Iterable<unknown> {
  return (
    typeof value === "object" && typeof (value as Partial<Iterable<unknown>> | null)?.[Symbol.iterator] === "function"
  );
}
