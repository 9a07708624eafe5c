import { CompactEncrypt, compactDecrypt, errors } from "jose";
import { tokenExpired, unauthenticated } from "./refusal.ts";
import type { Scope } from "./scope.ts";
import type { Viewer } from "./viewer.ts";

/** A ticket in a URL is good for event streams; one in a page's cookie stands for its log-in. */
export type TicketKind = "ticket" | "session";

/** How long a ticket is good for whose token does not expire. Milliseconds. */
const LASTING = 86_400_000;

/** What a ticket is sealed with (RFC 7518): authenticated encryption, since a scope may hold addresses and a URL is seen by many. */
const ALGORITHM = "dir";
const ENCRYPTION = "A256GCM";

export interface Ticket {
  readonly text: string;
  /** Milliseconds since the Unix epoch. */
  readonly expiresAt: number;
}

/** What may stand in for a token where none can be sent: good on every instance, for reconnects too. */
export interface Tickets {
  /** Until the viewer's own end, or a day where there is none. */
  issue(kind: TicketKind, viewer: Viewer): Promise<Ticket>;
  /** Who was given it. Rejects with UNAUTHENTICATED where it is none of ours, of the other kind, or over. */
  viewerOf(kind: TicketKind, text: string): Promise<Viewer>;
}

interface Sealed {
  readonly kind: TicketKind;
  readonly scope: Scope;
  readonly expiresAt: number;
  readonly subject: string;
  readonly tokenId: string;
  readonly rule: string;
}

/**
 * @param secret 32 bytes, the same on every instance
 */
export function createTickets(secret: () => Promise<Uint8Array>): Tickets {
  return {
    async issue(kind, { scope, expiresAt: end, subject, tokenId = "", rule = "" }) {
      const expiresAt = Number.isFinite(end) ? end : Date.now() + LASTING;
      const sealed: Sealed = { kind, scope, expiresAt, subject, tokenId, rule };
      const text = await new CompactEncrypt(new TextEncoder().encode(JSON.stringify(sealed)))
        .setProtectedHeader({ alg: ALGORITHM, enc: ENCRYPTION })
        .encrypt(await secret());
      return { text, expiresAt };
    },
    async viewerOf(kind, text) {
      const { kind: given, ...viewer } = await open(text, await secret());
      if (given !== kind) throw ticketInvalid();
      if (viewer.expiresAt <= Date.now()) throw tokenExpired();
      return viewer;
    },
  };
}

async function open(text: string, secret: Uint8Array): Promise<Sealed> {
  try {
    const { plaintext } = await compactDecrypt(text, secret, {
      keyManagementAlgorithms: [ALGORITHM],
      contentEncryptionAlgorithms: [ENCRYPTION],
    });
    // Only this service has the secret: what it seals is in this shape.
    return JSON.parse(new TextDecoder().decode(plaintext)) as Sealed;
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof TypeError) throw ticketInvalid();
    throw error;
  }
}

function ticketInvalid(): Error {
  return unauthenticated("The ticket is not valid.");
}
