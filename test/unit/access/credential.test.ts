import { describe, expect, it } from "vitest";
import { bearerToken, credentialOf, SESSION_COOKIE } from "../../../src/access/credential.ts";

const UNAUTHENTICATED = expect.objectContaining({ code: "UNAUTHENTICATED" });

describe("the credential of a request", () => {
  it("is its bearer token before its ticket, and that before its cookie", () => {
    const cookie = `other=1; ${SESSION_COOKIE}=sealed`;
    const url = "/events?email=a%40example.com&ticket=sold";
    expect(credentialOf({ headers: { authorization: "Bearer abc", cookie }, url })).toEqual({
      kind: "token",
      text: "abc",
    });
    expect(credentialOf({ headers: { cookie }, url })).toEqual({ kind: "ticket", text: "sold" });
    expect(credentialOf({ headers: { cookie }, url: "/events" })).toEqual({ kind: "session", text: "sealed" });
    expect(credentialOf({ headers: {}, url: "/events?after=x" })).toBeNull();
  });

  it("is not replaced by a cookie where the header is no bearer's", () => {
    const headers = { authorization: "Basic YTpi", cookie: `${SESSION_COOKIE}=sealed` };
    expect(() => credentialOf({ headers, url: "/" })).toThrowError(UNAUTHENTICATED);
  });
});

describe("an authorization", () => {
  it.each(["Bearer abc", "bearer abc", "BEARER   abc "])("of %j bears its token", (text) => {
    expect(bearerToken(text)).toBe("abc");
  });

  it.each(["", "abc", "Bearer", "Bearer ", "Bearer a b", "Bearer a,b", "Basic abc", "Bearerabc"])(
    "of %j is refused",
    (text) => {
      expect(() => bearerToken(text)).toThrowError(UNAUTHENTICATED);
    },
  );
});
