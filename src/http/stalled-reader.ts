import type { ServerResponse } from "node:http";

/**
 * Cuts the reader of a response that somebody else writes, once it has not taken all that waits for it within
 * `stallTimeout` milliseconds (a quarter more at the most).
 */
export function cutStalledReader(response: ServerResponse, stallTimeout: number): void {
  let since: number | null = null;
  const look = setInterval(() => {
    if (!response.writableNeedDrain) return;
    since ??= performance.now();
    if (performance.now() - since >= stallTimeout) response.destroy();
  }, stallTimeout / 4);
  response.on("drain", () => {
    since = null;
  });
  response.once("close", () => clearInterval(look));
}
