import type { SettingKind } from "./setting-kind.ts";

/** One variable of the environment. */
export interface Setting<T> extends SettingKind<T> {
  /** What it does, in Markdown: a row of README's table and of `--help`. */
  readonly meaning: string;
  /** The default as a person would write it; undefined where the setting is simply absent. */
  readonly default: string | undefined;
  /** The value where the variable is not set, or empty. */
  readonly unset: T;
}

/** A variable with a default, given as a person would write it. */
export function setting<T>(meaning: string, kind: SettingKind<T>, text: string): Setting<T> {
  const unset = kind.parse(text);
  if (unset === undefined) throw new RangeError(`the default ${text} is not allowed: ${kind.allowed}`);
  return { ...kind, meaning, default: text, unset };
}

/** A variable that may be absent. */
export function optional<T, U>(meaning: string, kind: SettingKind<T>, unset: U): Setting<T | U> {
  return { ...kind, meaning, default: undefined, unset };
}
