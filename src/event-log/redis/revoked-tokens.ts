import { randomUUID } from "node:crypto";
import type { RevokedTokens } from "../event-log.ts";
import type { RedisClient } from "./connection.ts";
import type { RedisKeys } from "./keys.ts";
import { SCRIPTS } from "./script.ts";

export async function revokeToken(client: RedisClient, keys: RedisKeys, tokenId: string, until: number): Promise<void> {
  // Random: a list that was lost and made anew is not to pass for the one that somebody knows.
  await SCRIPTS.revoke.run(client, [keys.revoked, keys.revision], [tokenId, until, randomUUID()]);
}

export async function readRevokedTokens(
  client: RedisClient,
  keys: RedisKeys,
  known: string | null,
): Promise<RevokedTokens | null> {
  // No revision has this text, so that the first look gets the list, an empty one too.
  const reply = await SCRIPTS.revoked.run(client, [keys.revoked, keys.revision], [known ?? "none"]);
  if (reply === null) return null;
  const [revision, tokenIds] = reply as [string, string[]];
  return { revision, tokenIds };
}
