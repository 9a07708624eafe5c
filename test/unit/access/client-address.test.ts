import type { IncomingMessage } from "node:http";
import { describe, expect, it } from "vitest";
import { createClientAddresses } from "../../../src/access/client-address.ts";

function requestFrom(remoteAddress: string | undefined, forwarded?: string): IncomingMessage {
  return { socket: { remoteAddress }, headers: { "x-forwarded-for": forwarded } } as unknown as IncomingMessage;
}

describe("without trusted proxies", () => {
  const addressOf = createClientAddresses([]);

  it("the peer is the client, whatever it says", () => {
    expect(addressOf(requestFrom("192.0.2.7", "127.0.0.1"))).toEqual({ isLoopback: false, key: "192.0.2.7" });
  });

  it.each(["127.0.0.1", "127.3.4.5", "::1", "::ffff:127.0.0.1"])("%s is this machine", (address) => {
    expect(addressOf(requestFrom(address)).isLoopback).toBe(true);
  });

  it("an IPv4 address is one client in either notation", () => {
    expect(addressOf(requestFrom("::ffff:192.0.2.7")).key).toBe(addressOf(requestFrom("192.0.2.7")).key);
  });

  it("an IPv6 client is its /64: the rest of the address costs it nothing", () => {
    const key = addressOf(requestFrom("2001:db8:1:2::1")).key;
    expect(addressOf(requestFrom("2001:db8:1:2:ffff::9")).key).toBe(key);
    expect(addressOf(requestFrom("2001:db8:1:3::1")).key).not.toBe(key);
  });

  it("a peer that is gone already is nobody in particular", () => {
    expect(addressOf(requestFrom(undefined))).toEqual({ isLoopback: false, key: "unknown" });
  });
});

describe("with trusted proxies", () => {
  const addressOf = createClientAddresses(["127.0.0.1/32", "10.0.0.0/8", "2001:db8::/32"]);
  const key = (peer: string, forwarded?: string): string => addressOf(requestFrom(peer, forwarded)).key;

  it("the nearest address that is no proxy is the client, however much stands to its left", () => {
    expect(key("127.0.0.1", "192.0.2.1")).toBe("192.0.2.1");
    expect(key("127.0.0.1", "198.51.100.1, 192.0.2.1, 10.1.2.3")).toBe("192.0.2.1");
    expect(key("2001:db8::5", "192.0.2.1")).toBe("192.0.2.1");
  });

  it("a stranger's header is not believed", () => {
    expect(key("192.0.2.9", "192.0.2.1")).toBe("192.0.2.9");
  });

  it.each(["", "unknown", "192.0.2.1, nonsense", "0300.0.2.1", "3221225985"])(
    "what is no address ends the walk at the proxy: %j",
    (forwarded) => {
      expect(key("10.0.0.1", forwarded)).toBe("10.0.0.1");
    },
  );

  it("a client behind a proxy on this machine is not taken for this machine", () => {
    expect(addressOf(requestFrom("127.0.0.1", "192.0.2.1")).isLoopback).toBe(false);
  });
});
