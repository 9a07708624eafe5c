import type { IncomingMessage } from "node:http";
import type { SocketConfig } from "../config.ts";
import { ServiceError } from "../error.ts";
import type { ClientAddress } from "./client-address.ts";
import { createQuota, type Quota } from "./quota.ts";

/** How many connections that stay open, sockets and event streams alike, one address may have. */
export interface ConnectionLimit {
  /** One more: how it is given back. Throws LIMIT_EXCEEDED where the address has as many as it may. */
  enter(request: IncomingMessage): () => void;
  /** As {@link enter}, for thousands of which each keeps no more than the place that it gives back to {@link leave}. */
  hold(request: IncomingMessage): string;
  /** To be called once for each {@link hold}. */
  leave(place: string): void;
}

/**
 * @param quota where they are counted. Default: in this process alone
 */
export function createConnectionLimit(
  { maxOnLoopback, maxPerAddress }: Pick<SocketConfig, "maxOnLoopback" | "maxPerAddress">,
  addressOf: (request: IncomingMessage) => ClientAddress,
  quota: Quota = createQuota(),
): ConnectionLimit {
  const hold = (request: IncomingMessage): string => {
    const { isLoopback, key } = addressOf(request);
    const [limit, allowed] = isLoopback
      ? ["MAX_SOCKETS_ON_LOOPBACK", maxOnLoopback]
      : ["MAX_SOCKETS_PER_ADDRESS", maxPerAddress];
    // This machine's addresses are one client, however many it has.
    const place = isLoopback ? "loopback" : key;
    if (quota.enter(place, allowed)) return place;
    throw new ServiceError("LIMIT_EXCEEDED", `Your address has ${allowed} connections open already (${limit}).`, {
      limit,
      allowed,
    });
  };
  return {
    hold,
    leave: quota.leave,
    enter(request) {
      const place = hold(request);
      let held = true;
      return () => {
        if (held) quota.leave(place);
        held = false;
      };
    },
  };
}
