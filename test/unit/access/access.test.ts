import type { IncomingMessage } from "node:http";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Access, createAccess } from "../../../src/access/access.ts";
import { SESSION_COOKIE } from "../../../src/access/credential.ts";
import { ANYONE } from "../../../src/access/viewer.ts";
import type { AccessConfig, JwtConfig } from "../../../src/config.ts";
import { logUnavailable, type ServiceError } from "../../../src/error.ts";
import type { RevokedTokens } from "../../../src/event-log/event-log.ts";
import { recordingLogger } from "../../harness/recording-logger.ts";
import { JWT_SECRET, signToken } from "../../harness/tokens.ts";

const DAY = 86_400_000;
const SECRET = new Uint8Array(32).fill(7);
const JWT: JwtConfig = { key: { kind: "secret", secret: JWT_SECRET }, issuer: undefined, audiences: [] };
const RULES: AccessConfig = { tokens: ["first-token", "second-token"], jwt: JWT };

/** The part of a log's store that access rules ask. */
class Store {
  down = false;
  #list: RevokedTokens = { revision: "0", tokenIds: [] };

  readonly secret = async (): Promise<Uint8Array> => SECRET;

  readonly revokedTokens = async (known: string | null): Promise<RevokedTokens | null> => {
    if (this.down) throw logUnavailable("down");
    return known === this.#list.revision ? null : this.#list;
  };

  revoke(tokenId: string): void {
    this.#list = { revision: `${Number(this.#list.revision) + 1}`, tokenIds: [...this.#list.tokenIds, tokenId] };
  }
}

function open(rules: AccessConfig | null = RULES, store = new Store()): Access {
  const access = createAccess({ rules, eventLog: store, logger: recordingLogger().logger });
  access.start();
  onTestFinished(() => access.stop());
  return access;
}

function request(headers: Record<string, string>, url = "/events"): IncomingMessage {
  return { method: "GET", headers, url } as unknown as IncomingMessage;
}

const withToken = (token: string) => request({ authorization: `Bearer ${token}` });
const withTicket = (ticket: string) => request({}, `/events?ticket=${ticket}`);
const withCookie = (session: string) => request({ cookie: `${SESSION_COOKIE}=${session}` });
const refused = expect.objectContaining({ code: "UNAUTHENTICATED" });

describe("access", () => {
  it("is everybody's while no rules are set, whatever they bring", async () => {
    const access = open(null);
    for (const asked of [request({}), withToken("anything"), withTicket("x"), request({ authorization: "Basic x" })]) {
      expect(await access.viewerOf(asked)).toBe(ANYONE);
    }
    expect(await access.viewerOfAuthorization("nonsense")).toBe(ANYONE);
  });

  it("is nobody's without a credential once rules are set", async () => {
    await expect(open().viewerOf(request({}))).rejects.toEqual(refused);
  });

  it("is given by each static token, and by no other text", async () => {
    const access = open();
    const [first, second] = await Promise.all([
      access.viewerOf(withToken("first-token")),
      access.viewerOf(withToken("second-token")),
    ]);
    expect(first).toMatchObject({ scope: { raw: true }, expiresAt: Number.POSITIVE_INFINITY });
    expect(first?.subject).not.toBe(second?.subject);
    expect(JSON.stringify(first)).not.toContain("first-token");
    for (const wrong of ["first-toke", "first-token2", "FIRST-TOKEN", "first-token,second-token", "-"]) {
      await expect(access.viewerOf(withToken(wrong))).rejects.toEqual(refused);
    }
  });

  it("is given by signed tokens beside static ones, and by these alone where no key is set", async () => {
    const token = await signToken({ sub: "ada" });
    await expect(open().viewerOfToken(token)).resolves.toBeDefined();
    await expect(open({ tokens: ["first-token"], jwt: null }).viewerOfToken(token)).rejects.toEqual(refused);
    await expect(open({ tokens: [], jwt: JWT }).viewerOfToken("first-token")).rejects.toEqual(refused);
  });
});

describe("a ticket", () => {
  const claims = { sub: "ada", jti: "t-1", mandrill_live: { emails: ["ada@example.com"], raw: false } };

  it("stands for its token, on every instance, until the token's own end", async () => {
    const exp = Math.floor(Date.now() / 1_000) + 60;
    const access = open();
    const viewer = await access.viewerOfToken(await signToken({ ...claims, exp }));
    const { text, expiresAt } = await access.issue("ticket", viewer);
    expect(expiresAt).toBe(exp * 1_000);
    expect(await open().viewerOf(withTicket(text))).toEqual(viewer);
  });

  it("of a static token is good for a day, and a ticket of a ticket no longer", async () => {
    const access = open();
    const before = Date.now();
    const first = await access.issue("ticket", await access.viewerOfToken("first-token"));
    expect(first.expiresAt).toBeGreaterThanOrEqual(before + DAY);
    expect(first.expiresAt).toBeLessThanOrEqual(Date.now() + DAY);
    const second = await access.issue("ticket", await access.viewerOf(withTicket(first.text)));
    expect(second.expiresAt).toBe(first.expiresAt);
  });

  it("tells nothing of its viewer, and cannot be changed", async () => {
    const access = open();
    const { text } = await access.issue("ticket", await access.viewerOfToken(await signToken(claims)));
    expect(Buffer.from(text, "base64url").toString("latin1")).not.toContain("ada");
    const parts = text.split(".");
    for (let i = 0; i < parts.length; i += 1) {
      const part = parts[i] as string;
      const changed = parts
        .with(
          i,
          part.replace(/.$/, (last) => (last === "A" ? "Q" : "A")),
        )
        .join(".");
      if (changed === text) continue;
      await expect(access.viewerOf(withTicket(changed)), `part ${i}`).rejects.toEqual(refused);
    }
    for (const nonsense of ["", "a", "a.b.c.d.e", await signToken(claims), "first-token"]) {
      await expect(access.viewerOf(withTicket(nonsense))).rejects.toEqual(refused);
    }
  });

  it("is neither a token nor a log-in, nor the other way round", async () => {
    const access = open();
    const viewer = await access.viewerOfToken("first-token");
    const { text: ticket } = await access.issue("ticket", viewer);
    const { text: session } = await access.issue("session", viewer);
    await expect(access.viewerOf(withToken(ticket))).rejects.toEqual(refused);
    await expect(access.viewerOf(withCookie(ticket))).rejects.toEqual(refused);
    await expect(access.viewerOf(withTicket(session))).rejects.toEqual(refused);
    await expect(access.viewerOf(withCookie(session))).resolves.toMatchObject({ subject: viewer.subject });
  });

  it("ends with the token that it was made with, or with the key under which that was signed", async () => {
    const access = open();
    const ofStatic = await access.issue("ticket", await access.viewerOfToken("first-token"));
    const ofSigned = await access.issue("session", await access.viewerOfToken(await signToken(claims)));
    const fewer = open({ tokens: ["second-token"], jwt: JWT });
    await expect(fewer.viewerOf(withTicket(ofStatic.text))).rejects.toEqual(refused);
    await expect(fewer.viewerOf(withCookie(ofSigned.text))).resolves.toBeDefined();
    const otherKey = { ...JWT, key: { kind: "secret", secret: "another secret, as long as the first was" } } as const;
    const rekeyed = open({ tokens: RULES.tokens, jwt: otherKey });
    await expect(rekeyed.viewerOf(withCookie(ofSigned.text))).rejects.toEqual(refused);
    await expect(rekeyed.viewerOf(withTicket(ofStatic.text))).resolves.toBeDefined();
  });

  it("of a service without rules is good for nothing in one that has them", async () => {
    const { text } = await open(null).issue("ticket", ANYONE);
    await expect(open().viewerOf(withTicket(text))).rejects.toEqual(refused);
  });
});

describe("the revocation list", () => {
  it.each<[kind: string, token: () => Promise<string>]>([
    ["a static token", async () => "first-token"],
    ["a signed token", () => signToken({ jti: "t-1" })],
    ["a signed token without jti", () => signToken({ sub: "ada" })],
  ])("ends the stays of %s, and refuses it and its tickets", async (_kind, token) => {
    const store = new Store();
    const access = open(RULES, store);
    const text = await token();
    const viewer = await access.viewerOfToken(text);
    const ticket = await access.issue("ticket", viewer);
    const ended = new Promise<ServiceError>((resolve) => access.stays.begin(viewer, resolve));
    store.revoke(viewer.tokenId ?? "");
    expect(await ended).toMatchObject({ code: "UNAUTHENTICATED", message: "Token revoked" });
    await expect(access.viewerOfToken(text)).rejects.toEqual(refused);
    await expect(access.viewerOf(withTicket(ticket.text))).rejects.toEqual(refused);
    await expect(access.viewerOfToken("second-token")).resolves.toBeDefined();
  });

  it("must have been read before anybody is let in", async () => {
    const store = new Store();
    store.down = true;
    const access = open(RULES, store);
    await expect(access.viewerOfToken("first-token")).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
    store.down = false;
    await expect(access.viewerOfToken("first-token")).resolves.toBeDefined();
    store.down = true;
    await expect(access.viewerOfToken("first-token")).resolves.toBeDefined();
  });
});
