const MINUTE = 60_000;

/** How fast one socket may send: a bucket that holds a minute's messages and is filled evenly. */
export class MessageRate {
  readonly #perMinute: number;
  #left: number;
  #at: number;

  /**
   * @param now by `performance.now()`, in whole milliseconds: they take no memory of their own
   */
  constructor(perMinute: number, now: number) {
    this.#perMinute = perMinute;
    this.#left = perMinute;
    this.#at = now;
  }

  /** Whether one more message is within the limit. */
  admits(now: number): boolean {
    const refilled = ((now - this.#at) / MINUTE) * this.#perMinute;
    this.#left = Math.min(this.#perMinute, this.#left + refilled);
    this.#at = now;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
