import { once } from "node:events";
import { createConnection } from "node:net";
import { connect as connectTls } from "node:tls";
import type { RedisConnection } from "../../config.ts";
import { speaksTls } from "./connection.ts";

type IndirectConnection = Exclude<RedisConnection, { readonly kind: "standalone" }>;

/** Milliseconds that one host may take to accept a connection. */
const TRIAL = 1_000;

/**
 * Why the configured sentinels, or nodes of a cluster, cannot be reached: the client tells no more than that its own
 * connection to them was closed. null where each of them takes a connection.
 */
export async function whyUnreached(connection: IndirectConnection): Promise<Error | null> {
  const hosts = connection.kind === "sentinel" ? connection.sentinels : connection.nodes;
  const tls = speaksTls(connection.url);
  const errors = await Promise.all(hosts.map(({ host, port }) => trial({ host, port }, tls)));
  return errors.find((error) => error !== null) ?? null;
}

async function trial(place: { host: string; port: number }, tls: boolean): Promise<Error | null> {
  const socket = tls ? connectTls(place) : createConnection(place);
  try {
    await once(socket, tls ? "secureConnect" : "connect", { signal: AbortSignal.timeout(TRIAL) });
    return null;
  } catch (error) {
    return (error as Error).name === "AbortError" ? null : (error as Error);
  } finally {
    socket.on("error", () => {});
    socket.destroy();
  }
}
