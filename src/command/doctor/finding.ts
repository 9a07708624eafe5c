/**
 * How something was found: in order; in order, but with something to know or that could not be told; out of order; not
 * looked at, because of what was found before.
 */
export type State = "ok" | "note" | "fail" | "skip";

/** What was looked at, how it was found, and what to do about it. Names no secret and no address. */
export interface Finding {
  readonly state: State;
  /** Two or three words. */
  readonly what: string;
  /** A sentence without its full stop. */
  readonly said: string;
  /** A sentence without its full stop; every `fail` has one. */
  readonly remedy?: string | undefined;
}

const WIDTH = 22;

/** The finding as a line. */
export function lineOf({ state, what, said, remedy }: Finding): string {
  return `${state.padEnd(4)}  ${what.padEnd(WIDTH)}  ${said}.${remedy === undefined ? "" : ` ${remedy}.`}\n`;
}

export function ok(what: string, said: string): Finding {
  return { state: "ok", what, said };
}

export function note(what: string, said: string, remedy?: string): Finding {
  return { state: "note", what, said, remedy };
}

export function fail(what: string, said: string, remedy: string): Finding {
  return { state: "fail", what, said, remedy };
}

export function skip(what: string, said: string): Finding {
  return { state: "skip", what, said };
}

/** An error's message as what is said: one line, without a full stop. */
export function saidOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/\s*\n\s*/g, " ").replace(/\.$/, "");
}
