import { fingerprint } from "./fingerprint.ts";
import { UNSCOPED } from "./scope.ts";
import type { Viewer } from "./viewer.ts";

/** By this a static token stands on the revocation list. */
export function staticTokenId(token: string): string {
  return `static:${fingerprint("static", token)}`;
}

/** The viewers of `ACCESS_TOKENS`: each sees everything, for as long as the token is in the setting. */
export interface StaticTokens {
  /** null where the token is none of them. */
  viewerOf(token: string): Viewer | null;
  /** Whether the rule of such a viewer still stands. */
  hasRule(rule: string): boolean;
}

export function createStaticTokens(tokens: readonly string[]): StaticTokens {
  // Looked up by hash: how long a comparison takes says nothing of the token.
  const viewers = new Map(
    tokens.map((token): [string, Viewer] => {
      const tokenId = staticTokenId(token);
      return [
        tokenId,
        { scope: UNSCOPED, expiresAt: Number.POSITIVE_INFINITY, subject: tokenId, tokenId, rule: tokenId },
      ];
    }),
  );
  return {
    viewerOf: (token) => viewers.get(staticTokenId(token)) ?? null,
    hasRule: (rule) => viewers.has(rule),
  };
}
