import type { ServiceError } from "../error.ts";
import { tokenExpired, tokenRevoked } from "./refusal.ts";
import { ANYONE, type Viewer } from "./viewer.ts";

/** How often it is looked whose time is over: an idle connection ends so much later. Milliseconds. */
const SWEEP_INTERVAL = 250;

/** One viewer's stay on a connection or an event stream, from the moment that they were let in. */
export interface Stay {
  /** Who stays; another after a renewal. */
  readonly viewer: Viewer;
  /**
   * Whether the viewer may still be shown anything: to be asked right before it leaves the process, since timers come
   * late. Whoever asks first after the end ends the stay.
   */
  holds(): boolean;
  /** Goes on with a fresh token. */
  renew(viewer: Viewer): void;
  /** The connection or stream is over. */
  leave(): void;
}

/** Everybody who stays connected: each goes when the token expires or is revoked. */
export interface Stays {
  /**
   * @param onEnd called once, when the token no longer holds; not after `leave`. It must not throw.
   */
  begin(viewer: Viewer, onEnd: (error: ServiceError) => void): Stay;
  /** Ends every stay that is over: when the revocation list has changed, and now and then. */
  sweep(): void;
  /** How many have ended so, and not by leaving. */
  readonly ended: Readonly<Record<TokenEnd, number>>;
  stop(): void;
}

/** What may become of a token. */
type TokenEnd = "expired" | "revoked";

export function createStays(isRevoked: (tokenId: string) => boolean): Stays {
  const stays = new Set<LimitedStay>();
  const ended = { expired: 0, revoked: 0 };
  const sweep = (): void => {
    // A stay that ends leaves the set.
    for (const stay of stays) stay.holds();
  };
  const timer = setInterval(sweep, SWEEP_INTERVAL);
  timer.unref();
  return {
    begin(viewer, onEnd) {
      if (viewer === ANYONE) return UNENDING;
      const stay = new LimitedStay(viewer, isRevoked, (end) => {
        stays.delete(stay);
        if (end === null) return;
        ended[end] += 1;
        onEnd(end === "expired" ? tokenExpired() : tokenRevoked());
      });
      stays.add(stay);
      return stay;
    },
    sweep,
    ended,
    stop: () => clearInterval(timer),
  };
}

/** That of whoever reads while no access rules are set. */
export const UNENDING: Stay = Object.freeze({ viewer: ANYONE, holds: () => true, renew: () => {}, leave: () => {} });

class LimitedStay implements Stay {
  readonly #isRevoked: (tokenId: string) => boolean;
  /** Called once, with null where the viewer has left. */
  readonly #onOver: (end: TokenEnd | null) => void;
  #viewer: Viewer;
  #over = false;

  constructor(viewer: Viewer, isRevoked: (tokenId: string) => boolean, onOver: (end: TokenEnd | null) => void) {
    this.#viewer = viewer;
    this.#isRevoked = isRevoked;
    this.#onOver = onOver;
  }

  get viewer(): Viewer {
    return this.#viewer;
  }

  holds(): boolean {
    if (this.#over) return false;
    const { expiresAt, tokenId } = this.#viewer;
    if (Date.now() >= expiresAt) this.#end("expired");
    else if (tokenId !== undefined && this.#isRevoked(tokenId)) this.#end("revoked");
    return !this.#over;
  }

  renew(viewer: Viewer): void {
    if (this.holds()) this.#viewer = viewer;
  }

  leave(): void {
    this.#end(null);
  }

  #end(end: TokenEnd | null): void {
    if (this.#over) return;
    this.#over = true;
    this.#onOver(end);
  }
}
