import type { ChildProcess } from "node:child_process";
import type { Worker } from "node:cluster";

/** What node:cluster sends along with a connection, and by what a worker takes it. Its own affair (lib/internal/cluster). */
interface HandingOver {
  readonly act?: string;
  readonly seq?: number;
  readonly ack?: number;
}

interface Connection {
  close(): void;
}

type Send = (message: HandingOver, connection?: Connection, ...others: unknown[]) => boolean;

/** A connection that a worker was dealt, and has yet to take. */
type Dealt = readonly [message: HandingOver, connection: Connection];

/** Watches over the connections that are dealt to workers. */
export interface HandedConnections {
  watch(worker: Worker): void;
}

/**
 * node:cluster forgets a connection whose worker ends before it takes it: it stays open, and nobody ever answers. Here
 * it is dealt to another worker, by the very message that it was sent along with, which has node:cluster go on as if it
 * had been dealt there at first; where there is no other worker it is closed.
 */
export function createHandedConnections(): HandedConnections {
  const running = new Map<Worker, Send>();

  return {
    watch(worker) {
      const child = worker.process as Omit<ChildProcess, "send"> & { send: Send };
      const waiting = new Map<number, Dealt>();
      const send = child.send.bind(child) as Send;
      child.send = (message, connection, ...others) => {
        if (message.act === "newconn" && message.seq !== undefined && connection !== undefined) {
          waiting.set(message.seq, [message, connection]);
        }
        return send(message, connection, ...others);
      };
      child.on("internalMessage", ({ ack }: HandingOver) => {
        if (ack !== undefined) waiting.delete(ack);
      });
      running.set(worker, child.send);
      worker.once("exit", () => {
        running.delete(worker);
        const [deal] = [...running].filter(([{ process }]) => process.connected).map(([, sendTo]) => sendTo);
        for (const [message, connection] of waiting.values()) {
          if (deal === undefined) connection.close();
          else deal(message, connection);
        }
      });
    },
  };
}
