/** Who is to get each event. */
export type Audience =
  /** Every listener. */
  | "everyone"
  /** One listener each. */
  | "one"
  /** Nobody listens: only the answers count. */
  | "nobody";

/** Width of a latency bucket, and the number of buckets: up to 30 s. Milliseconds. */
const BUCKET = 0.05;
const BUCKETS = 600_000;

/** Where a listener stands among the deliveries of a round. */
export interface Place {
  /** Deliveries in this round. */
  position: number;
}

export interface Latency {
  /** Milliseconds from the POST to the frame. */
  readonly p50: number;
  readonly p99: number;
}

/**
 * Checks that in one round every event reached everyone who is to get it, once, and in the same order at every
 * listener. Which order is the server's choice where several POSTs were in flight: the first listener to get that
 * far sets it.
 */
export class Arrivals {
  readonly #audience: Audience;
  readonly #listeners: number;
  readonly #first: number;
  /** By position in the stream: which event, and how many listeners have got that far. */
  readonly #order: number[] = [];
  readonly #reached: number[] = [];
  /** By event, from `first` on: when it was posted, by `performance.now()`; and whether it has its position. */
  readonly #postedAt: number[] = [];
  readonly #placed: boolean[] = [];
  readonly #latencies = new Uint32Array(BUCKETS);
  readonly #fail: (reason: string) => void;
  #complete = 0;
  #deliveries = 0;
  #abandoned: string | null = null;
  #waiting: { readonly events: number; readonly resolve: () => void; readonly reject: (e: Error) => void } | null =
    null;

  /** @param first number of the first event of the round */
  constructor(audience: Audience, listeners: number, first: number, fail: (reason: string) => void) {
    this.#audience = audience;
    this.#listeners = audience === "everyone" ? listeners : 1;
    this.#first = first;
    this.#fail = fail;
  }

  get events(): number {
    return this.#postedAt.length;
  }

  get deliveries(): number {
    return this.#deliveries;
  }

  /** Events that everyone has who is to get them. */
  get complete(): number {
    return this.#audience === "nobody" ? this.events : this.#complete;
  }

  /** The next `count` events are being posted now. */
  posted(count: number, now: number): void {
    for (let event = 0; event < count; event += 1) {
      this.#postedAt.push(now);
      this.#placed.push(false);
    }
  }

  /** Event `number` has come to a listener. */
  arrived(place: Place, number: number, now: number): void {
    const event = number - this.#first;
    const postedAt = this.#postedAt[event];
    if (postedAt === undefined) {
      this.#fail(`event ${number} arrived, which is none of this round`);
      return;
    }
    const position = this.#audience === "everyone" ? place.position : this.#order.length;
    place.position += 1;
    this.#deliveries += 1;
    const bucket = Math.min(BUCKETS - 1, Math.floor((now - postedAt) / BUCKET));
    this.#latencies[bucket] = (this.#latencies[bucket] as number) + 1;
    if (position === this.#order.length) {
      if (this.#placed[event] === true) this.#fail(`event ${number} arrived twice`);
      this.#placed[event] = true;
      this.#order.push(number);
      this.#reached.push(0);
    } else if (this.#order[position] !== number) {
      this.#fail(`event ${number} arrived where others got ${this.#order[position]}: lost, doubled or out of order`);
      return;
    }
    const reached = (this.#reached[position] as number) + 1;
    this.#reached[position] = reached;
    if (reached !== this.#listeners) return;
    this.#complete += 1;
    if (this.#waiting !== null && this.#complete >= this.#waiting.events) this.#waiting.resolve();
  }

  /** Resolves once the first `events` of the round are complete; rejects where nothing comes for `patienceMs`. */
  async completed(events: number, patienceMs: number): Promise<void> {
    if (this.#abandoned !== null) throw new Error(this.#abandoned);
    if (this.complete >= events) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting = { events, resolve, reject };
    let seen = this.#deliveries;
    const watch = setInterval(() => {
      if (seen === this.#deliveries) {
        const due = this.events * this.#listeners;
        reject(new Error(`${this.#deliveries} of ${due} deliveries arrived, and then none for ${patienceMs} ms`));
      }
      seen = this.#deliveries;
    }, patienceMs);
    try {
      await promise;
    } finally {
      clearInterval(watch);
      this.#waiting = null;
    }
  }

  /** Something has gone wrong that makes waiting useless. */
  abandon(reason: string): void {
    this.#abandoned ??= reason;
    this.#waiting?.reject(new Error(reason));
  }

  get latency(): Latency {
    return { p50: this.#percentile(0.5), p99: this.#percentile(0.99) };
  }

  #percentile(share: number): number {
    let left = share * this.#deliveries;
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
      left -= this.#latencies[bucket] as number;
      if (left <= 0) return (bucket + 0.5) * BUCKET;
    }
    return Number.NaN;
  }
}
