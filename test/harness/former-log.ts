import { randomBytes } from "node:crypto";
import type { Redis } from "ioredis";

/** Makes an empty log of the layout before, as the first look of version 0.1.0 does. */
export async function makeFormerLog(client: Redis, prefix: string): Promise<void> {
  await client.hset(`{${prefix}}:meta`, {
    layout: "1",
    epoch: randomBytes(4).toString("hex"),
    number: "0",
    tag: "AAAAAAAA",
    receivedAt: "0",
    oldest: "1",
    cursorKey: randomBytes(16).toString("hex"),
    countsFrom: "0",
  });
}
