import type { Client as SocketClient } from "../../client/resuming-client.ts";
import { type Cell, createCell } from "./cell.ts";

/** How the socket does. Times are milliseconds since the Unix epoch, by this browser's clock. */
export type Connection =
  | { readonly state: "connecting" }
  | { readonly state: "live"; readonly back: Return | null }
  /** `isFirst`: it has never been there. */
  | { readonly state: "lost"; readonly since: number; readonly isFirst: boolean };

/** What came of a lost connection. */
export interface Return {
  readonly at: number;
  /** For how long it was lost. Milliseconds. */
  readonly away: number;
  /** How many events came late because of it; null while they are still being caught up. */
  readonly caughtUp: number | null;
}

export interface ConnectionWatch {
  readonly connection: Pick<Cell<Connection>, "get" | "subscribe">;
  /** Calls `listener` whenever the connection is made again after a loss. */
  onReturn(listener: () => void): void;
  /** Everything that came while the connection was lost has been shown. */
  caughtUp(events: number): void;
}

export function watchConnection(socket: SocketClient): ConnectionWatch {
  const connection = createCell<Connection>({ state: "connecting" });
  const listeners = new Set<() => void>();
  const lose = (): void => {
    const { state } = connection.get();
    if (state !== "lost") connection.set({ state: "lost", since: Date.now(), isFirst: state === "connecting" });
  };
  socket.on("connected", () => {
    const before = connection.get();
    if (before.state !== "lost" || before.isFirst) {
      connection.set({ state: "live", back: null });
      return;
    }
    const at = Date.now();
    connection.set({ state: "live", back: { at, away: at - before.since, caughtUp: null } });
    for (const listener of listeners) listener();
  });
  socket.on("closed", lose);
  socket.on("error", lose);
  return {
    connection,
    onReturn: (listener) => void listeners.add(listener),
    caughtUp(events) {
      const now = connection.get();
      if (now.state === "live" && now.back?.caughtUp === null) {
        connection.set({ state: "live", back: { ...now.back, caughtUp: events } });
      }
    },
  };
}
