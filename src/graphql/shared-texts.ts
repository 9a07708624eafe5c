/**
 * Keeps what fields have come to for the other groups of the same scope, since a thousand groups that want one event
 * mostly want the same of it.
 */
export class SharedTexts {
  readonly #byObject = new Map<unknown, (string | undefined)[]>();

  /** The texts of an object's fields, by the field's number. */
  of(object: unknown): (string | undefined)[] {
    let texts = this.#byObject.get(object);
    if (texts === undefined) {
      texts = [];
      this.#byObject.set(object, texts);
    }
    return texts;
  }
}

/**
 * The texts that groups of one scope share. They are kept for the tick alone: an event is handed to all its groups in
 * one step, and nothing that was made of it is to outlive it, should it be erased.
 */
export function createTextShelf(): (scopeKey: string) => SharedTexts {
  let byScope: Map<string, SharedTexts> | null = null;
  const forget = (): void => {
    byScope = null;
  };
  return (scopeKey) => {
    if (byScope === null) {
      byScope = new Map();
      queueMicrotask(forget);
    }
    let texts = byScope.get(scopeKey);
    if (texts === undefined) {
      texts = new SharedTexts();
      byScope.set(scopeKey, texts);
    }
    return texts;
  };
}
