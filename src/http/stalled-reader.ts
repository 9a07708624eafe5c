import type { ServerResponse } from "node:http";

/**
 * Cuts the reader of a response, whoever writes it, once it has not taken all that waits for it within `stallTimeout`
 * milliseconds (a quarter more at the most).
 */
export function cutStalledReader(response: ServerResponse, stallTimeout: number): void {
  // Its close has been told already.
  if (response.destroyed) return;
  let since: number | null = null;
  const look = setInterval(() => {
    if (!isFull(response)) return;
    since ??= performance.now();
    if (performance.now() - since >= stallTimeout) response.destroy();
  }, stallTimeout / 4);
  response.on("drain", () => {
    since = null;
  });
  response.once("close", () => clearInterval(look));
}

/** One that has ended needs no drain, and still waits for its reader. */
function isFull({ writableNeedDrain, writableEnded, writableFinished }: ServerResponse): boolean {
  return writableNeedDrain || (writableEnded && !writableFinished);
}
