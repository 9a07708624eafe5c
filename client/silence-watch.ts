import type { Client } from "graphql-ws/client";

/**
 * Terminates the client's connection when nothing has come for `timeout` milliseconds, its making included: a network
 * that is gone without a word closes no socket. The client then tries again.
 */
export function watchForSilence(client: Client, timeout: number): void {
  let heardAt = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const hear = (): void => {
    heardAt = Date.now();
  };
  const look = (): void => {
    const left = heardAt + timeout - Date.now();
    if (left <= 0) client.terminate();
    else timer = setTimeout(look, left);
  };
  const begin = (): void => {
    end();
    hear();
    timer = setTimeout(look, timeout);
  };
  const end = (): void => clearTimeout(timer);
  client.on("connecting", begin);
  client.on("opened", begin);
  client.on("message", hear);
  client.on("closed", end);
  client.on("error", end);
}
