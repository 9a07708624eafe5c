import type { Logger } from "pino";
import { countedCode } from "./close-code.ts";

/** How a socket came to its end. */
export interface SocketEnd {
  /** That of its handshake. */
  readonly requestId: string;
  /** RFC 6455's. */
  readonly code: number;
  /** In this service's own words: what a peer says may hold anything. */
  readonly reason: string;
  readonly durationMs: number;
}

/** Tells of every socket's end by one line, and counts them by code. */
export interface SocketEnds {
  note(end: SocketEnd): void;
  /** Ends so far, by {@link countedCode}. */
  readonly byCode: Readonly<Record<string, number>>;
}

export function createSocketEnds(logger: Logger): SocketEnds {
  const byCode: Record<string, number> = {};
  return {
    byCode,
    note(end) {
      const counted = countedCode(end.code);
      byCode[counted] = (byCode[counted] ?? 0) + 1;
      logger.info(end, "a socket has ended");
    },
  };
}
