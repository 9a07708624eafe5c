import type { IncomingMessage } from "node:http";
import type { Logger } from "pino";
import type { AccessConfig } from "../config.ts";
import type { EventLog } from "../event-log/event-log.ts";
import { bearerToken, credentialOf } from "./credential.ts";
import { createJwtVerifier } from "./jwt.ts";
import { tokenInvalid, tokenRevoked, unauthenticated } from "./refusal.ts";
import { createRevocations } from "./revocations.ts";
import { createStaticTokens } from "./static-tokens.ts";
import { createStays, type Stays } from "./stay.ts";
import { createTickets, type Ticket, type TicketKind } from "./tickets.ts";
import { ANYONE, type Viewer } from "./viewer.ts";

const READING_METHODS: ReadonlySet<string | undefined> = new Set(["GET", "HEAD"]);

export interface AccessOptions {
  /** null while no access rules are set: then everybody is {@link ANYONE}. */
  readonly rules: AccessConfig | null;
  readonly eventLog: Pick<EventLog, "secret" | "revokedTokens">;
  readonly logger: Pick<Logger, "warn" | "info">;
}

/** Who is let in, as whom, and for how long. */
export interface Access {
  start(): void;
  stop(): void;
  /**
   * Who asks, by the request's bearer token, ticket or cookie. Rejects with UNAUTHENTICATED; with KEYS_UNAVAILABLE or
   * LOG_UNAVAILABLE where nobody can tell.
   */
  viewerOf(request: IncomingMessage): Promise<Viewer>;
  /** The same, by the text of an `Authorization` header, wherever it came from. */
  viewerOfAuthorization(authorization: string): Promise<Viewer>;
  /** The same, by a token alone. */
  viewerOfToken(token: string): Promise<Viewer>;
  /** What may stand in for the viewer's token. */
  issue(kind: TicketKind, viewer: Viewer): Promise<Ticket>;
  /** Those who stay connected. */
  readonly stays: Stays;
}

export function createAccess({ rules, eventLog, logger }: AccessOptions): Access {
  const staticTokens = createStaticTokens(rules?.tokens ?? []);
  const jwt = rules?.jwt == null ? null : createJwtVerifier(rules.jwt, logger);
  const tickets = createTickets(() => eventLog.secret("ticket"));
  const revocations = createRevocations({ eventLog, logger, onChange: () => stays.sweep() });
  const stays = createStays((tokenId) => revocations.has(tokenId));

  /** The viewer, unless their token has been revoked. */
  async function unlessRevoked(viewer: Viewer): Promise<Viewer> {
    if (viewer.tokenId !== undefined && (await revocations.check(viewer.tokenId))) throw tokenRevoked();
    return viewer;
  }

  async function viewerOfToken(token: string): Promise<Viewer> {
    if (rules === null) return ANYONE;
    const viewer = staticTokens.viewerOf(token) ?? (await jwt?.viewerOf(token));
    if (viewer === undefined) throw tokenInvalid();
    return unlessRevoked(viewer);
  }

  async function viewerOfTicket(kind: TicketKind, text: string): Promise<Viewer> {
    const viewer = await tickets.viewerOf(kind, text);
    const { rule = "" } = viewer;
    // What was made with a token that is no longer among ACCESS_TOKENS, or under another key, is over.
    if (!staticTokens.hasRule(rule) && jwt?.hasRule(rule) !== true) throw tokenRevoked();
    return unlessRevoked(viewer);
  }

  return {
    start() {
      if (rules !== null) revocations.start();
    },
    stop() {
      revocations.stop();
      stays.stop();
    },
    async viewerOf(request) {
      if (rules === null) return ANYONE;
      const credential = credentialOf(request);
      if (credential === null) {
        throw unauthenticated("A token is needed: send it as `Authorization: Bearer <token>`.");
      }
      const { kind, text } = credential;
      // A URL is seen and kept by many on its way: what it may do is read.
      if (kind === "ticket" && !READING_METHODS.has(request.method)) {
        throw unauthenticated("A ticket is for GET requests; send the token itself with others.");
      }
      return kind === "token" ? viewerOfToken(text) : viewerOfTicket(kind, text);
    },
    async viewerOfAuthorization(authorization) {
      return rules === null ? ANYONE : viewerOfToken(bearerToken(authorization));
    },
    viewerOfToken,
    issue: (kind, viewer) => tickets.issue(kind, viewer),
    stays,
  };
}
