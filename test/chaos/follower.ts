import type { Audience } from "./audience.ts";
import type { Observation } from "./oracle.ts";

/** An {@link Observation} whose places are still the cursors that came. */
export type RawObservation = {
  [K in Observation["kind"]]: {
    readonly [F in keyof Extract<Observation, { kind: K }>]: F extends "place" | "after" | "oldest" | "head"
      ? string | null
      : Extract<Observation, { kind: K }>[F];
  };
}[Observation["kind"]];

const GAPS = ["CURSOR_UNKNOWN", "CURSOR_EXPIRED"];
/** After these one subscribes again from the place that one has. */
const PASSING = ["LOG_UNAVAILABLE", "SHUTTING_DOWN"];

/** Why something is not served any more, or not at all: a code and its extensions. */
interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly after?: string | null | undefined;
  readonly oldest?: string | null | undefined;
  readonly head?: string | null | undefined;
}

/** What a listener notes for the oracle, whatever it listens by. */
export class Follower {
  readonly name: string;
  readonly audience: Audience;
  readonly observations: RawObservation[] = [];
  /** What it should never have heard. */
  readonly complaints: string[] = [];
  /** How often it was told that it read too slowly. */
  lags = 0;
  /** Up to where it has been served; null: it has yet to ask for the log's head. */
  place: string | null = null;
  newest = "";
  readonly #era: () => number;
  readonly #changed: () => void;

  constructor(options: { name: string; audience: Audience; era: () => number; changed: () => void }) {
    this.name = options.name;
    this.audience = options.audience;
    this.#era = options.era;
    this.#changed = options.changed;
  }

  begin(place: string | null, exactly = true): void {
    this.place = place;
    this.observations.push({ kind: "begun", place, exactly });
  }

  event(messageId: string, cursor: string): void {
    this.place = cursor;
    this.newest = messageId;
    this.observations.push({ kind: "event", messageId, place: cursor });
    this.#changed();
  }

  gap(code: string, after: string | null, oldest: string | null, head: string | null): void {
    const known = code as "CURSOR_EXPIRED" | "CURSOR_UNKNOWN";
    this.observations.push({ kind: "gap", code: known, after, oldest, head, era: this.#era() });
    this.place = null;
  }

  /** Goes on behind what is still held, or at the head: where there is none, it asks for one first. */
  goOn(code: string, oldest: string | null, head: string | null): void {
    const place = code === "CURSOR_EXPIRED" ? (oldest ?? head) : head;
    if (place !== null) this.begin(place);
  }

  /** It read too slowly, and goes on behind `after`. */
  lagged(after: string | null): void {
    this.lags += 1;
    this.place = after ?? this.place;
  }

  /** What it asked for has ended, or was not begun, by this code: it asks again behind its place. */
  refused({ code, message, after = null, oldest = null, head = null }: Refusal): void {
    if (GAPS.includes(code)) {
      this.gap(code, this.place, oldest, head);
      this.goOn(code, oldest, head);
    } else if (code === "SUBSCRIBER_LAGGED") {
      this.lagged(after);
    } else if (!PASSING.includes(code)) {
      this.complain(`ended by ${code}: ${message}`);
    }
  }

  /** A result or an error of GraphQL, by whatever transport. Returns whether the operation goes on. */
  // biome-ignore lint/suspicious/noExplicitAny: whatever JSON came is looked into
  result(payload: any): boolean {
    if (payload?.errors !== undefined) {
      const [{ message, extensions }] = payload.errors;
      this.refused({ ...extensions, message });
      return false;
    }
    const { messageId, cursor } = payload.data.eventReceived;
    if (payload.extensions?.cursor !== cursor) this.complain(`extensions.cursor of ${messageId} is another`);
    this.event(messageId, cursor);
    return true;
  }

  complain(sentence: string): void {
    this.complaints.push(`${this.name}: ${sentence}`);
  }
}
