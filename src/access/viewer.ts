import { type Scope, UNSCOPED } from "./scope.ts";

/** Who reads, as far as the service needs to know: what they may see, until when, and whose limits they use up. */
export interface Viewer {
  readonly scope: Scope;
  /** When nothing more may be shown to them. Milliseconds since the Unix epoch; Infinity where nothing ends it. */
  readonly expiresAt: number;
  /** Tells tokens apart without being one: what limits per token count by. Empty while no access rules are set. */
  readonly subject: string;
  /** The token's `jti`, or what stands in for it: by this it can be revoked. */
  readonly tokenId?: string | undefined;
  /** Tells the access rule by which they came in: a ticket holds no longer than the rule of its token does. */
  readonly rule?: string | undefined;
}

/** Every reader while no access rules are set. */
export const ANYONE: Viewer = Object.freeze({ scope: UNSCOPED, expiresAt: Number.POSITIVE_INFINITY, subject: "" });
