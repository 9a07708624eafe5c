import type { IncomingMessage, ServerResponse } from "node:http";
import { requireOwnPage } from "./csrf.ts";
import { requireLocalHost } from "./host-guard.ts";
import { isPreflight, type OriginPolicy } from "./origin.ts";

export interface GateOptions {
  /** No access rule is set: only who asks for this very machine by name is answered. */
  readonly isLocalOnly: boolean;
  readonly origins: OriginPolicy;
}

/** What every request has to pass before a route sees it, WebSocket handshakes included. */
export interface Gate {
  /** Throws the ServiceError by which the request is refused. */
  admit(request: IncomingMessage): void;
  /** Sets what lets an allowed page read the answer; true where that was all that was asked for, and it is answered. */
  introduce(request: IncomingMessage, response: ServerResponse): boolean;
}

export function createGate({ isLocalOnly, origins }: GateOptions): Gate {
  return {
    admit(request) {
      if (isLocalOnly) requireLocalHost(request);
      origins.admit(request);
      requireOwnPage(request);
    },
    introduce(request, response) {
      for (const [name, value] of Object.entries(origins.headers(request))) response.setHeader(name, value as string);
      if (!isPreflight(request)) return false;
      response.writeHead(204).end();
      return true;
    },
  };
}
