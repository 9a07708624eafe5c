import type { IncomingMessage } from "node:http";
import ipaddr from "ipaddr.js";

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** Where a request comes from, as far as it can be believed. */
export interface ClientAddress {
  readonly isLoopback: boolean;
  /** What clients are counted by: the IPv4 address, or the /64 network that one IPv6 client has to itself. */
  readonly key: string;
}

/** Bits of an IPv6 address that a provider gives to one customer at the least: within them addresses cost nothing. */
const IPV6_CLIENT_BITS = 64;

const UNKNOWN: ClientAddress = { isLoopback: false, key: "unknown" };

/**
 * Tells clients' addresses. X-Forwarded-For is walked from its right end for as long as the address so far is a
 * trusted proxy: what stands further left was written by whoever sent it.
 *
 * @param trustedProxies networks in CIDR notation
 */
export function createClientAddresses(trustedProxies: readonly string[]): (request: IncomingMessage) => ClientAddress {
  const trusted = trustedProxies.map((network) => ipaddr.parseCIDR(network));
  const isTrusted = (address: Address): boolean =>
    trusted.some((network) => network[0].kind() === address.kind() && address.match(network));
  return ({ socket, headers }) => {
    let address = parsed(socket.remoteAddress ?? "");
    if (address === null) return UNKNOWN;
    const hops = String(headers["x-forwarded-for"] ?? "").split(",");
    while (isTrusted(address)) {
      const hop: Address | null = parsed(hops.pop()?.trim() ?? "");
      if (hop === null) break;
      address = hop;
    }
    return { isLoopback: address.range() === "loopback", key: keyOf(address) };
  };
}

/** The address, an IPv4 one in the place of its IPv6 form; null where there is none. */
function parsed(text: string): Address | null {
  // Other notations (octal, a single number) are read in more than one way.
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text);
  return ipaddr.IPv6.isValid(text) ? ipaddr.process(text) : null;
}

function keyOf(address: Address): string {
  if (address.kind() === "ipv4") return address.toString();
  return ipaddr.IPv6.networkAddressFromCIDR(`${address}/${IPV6_CLIENT_BITS}`).toString();
}
