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
