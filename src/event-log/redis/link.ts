import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import type { RedisConnection } from "../../config.ts";
import { logUnavailable, ServiceError } from "../../error.ts";
import { createClient, type RedisClient } from "./connection.ts";
import { whyUnreached } from "./unreached.ts";

/** A connection that is kept up, and what is done over it. */
export interface Link {
  /**
   * Does `work` with the client. Rejects with LOG_UNAVAILABLE where Redis cannot be reached, refuses, or has not
   * answered all of it in time; a ServiceError that `work` rejects with passes as it is.
   */
  run<T>(work: (client: RedisClient) => Promise<T>): Promise<T>;
  /** Calls `listener` each time the connection stands. */
  onReady(listener: () => void): void;
  /** Resolves when all that was begun has ended and the connection is closed. */
  close(): Promise<void>;
}

export interface LinkOptions {
  readonly client: RedisClient;
  /** That of the client: where it does not say why it cannot connect, its hosts are tried. */
  readonly connection: RedisConnection;
  /** Milliseconds for one `run`. */
  readonly timeoutMs: number;
  readonly logger?: Pick<Logger, "warn" | "info"> | undefined;
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** The client's own word for a command that was not answered in time. */
const TIMED_OUT = "Command timed out";

/** Milliseconds that what is under way may take when the log is closed: whoever wanted an answer has got it before. */
const LAST_ANSWERS = 250;

/** Milliseconds that a closing client may take: one that is asking sentinels does not tell its end. */
const CLOSE_TIMEOUT = 1_000;
/** In these a client has nothing open, and does not tell its end either. */
const AT_REST = ["wait", "close", "reconnecting", "end"];

export function createLink({ client, connection, timeoutMs, logger }: LinkOptions): Link {
  const underWay = new Set<Promise<unknown>>();
  const waiters = new Set<Waiter>();
  /** Why the last attempt to connect failed; null before the first has ended, and while the connection stands. */
  let failure: Error | null = null;
  let closed = false;
  let released = false;
  let looking = false;

  function lost(error: Error): void {
    if (connection.kind === "standalone" || "code" in error) {
      settle(error);
    } else if (!looking && !released && client.status !== "ready") {
      looking = true;
      void whyUnreached(connection).then((why) => {
        looking = false;
        settle(why ?? error);
      });
    }
  }

  function settle(error: Error): void {
    if (released || client.status === "ready") return;
    // The other side's whole certificate, as bytes, where it is for another host: the message names it.
    if ("cert" in error) delete error.cert;
    if (failure === null) logger?.warn({ err: error }, "Redis cannot be reached; trying again");
    failure = error;
    for (const { reject } of waiters) reject(error);
    waiters.clear();
  }

  client.on("error", lost);
  client.on("close", () => lost(failure ?? new Error("the connection was closed")));
  client.on("ready", () => {
    if (failure !== null) logger?.info("Redis is reached again");
    failure = null;
    for (const { resolve } of waiters) resolve();
    waiters.clear();
  });

  /** Resolves when commands can be sent. Waits for the first attempt to connect, never for Redis to come back. */
  function connected(): Promise<void> {
    if (client.status === "ready") return Promise.resolve();
    if (failure !== null) return Promise.reject(failure);
    return new Promise((resolve, reject) => waiters.add({ resolve, reject }));
  }

  async function attempt<T>(work: (client: RedisClient) => Promise<T>): Promise<T> {
    try {
      await connected();
      return await work(client);
    } catch (error) {
      // Half-open, or Redis is stopped: only a new connection tells which, and goes on when it can.
      if (error instanceof Error && error.message === TIMED_OUT && client.status === "ready") client.disconnect(true);
      throw error instanceof ServiceError ? error : unavailable(error);
    }
  }

  return {
    run(work) {
      if (closed) return Promise.reject(logUnavailable("The event log is closed."));
      const result = within(timeoutMs, attempt(work));
      const ended = result.then(
        () => {},
        () => {},
      );
      underWay.add(ended);
      void ended.then(() => underWay.delete(ended));
      return result;
    },
    onReady(listener) {
      client.on("ready", listener);
      if (client.status === "ready") listener();
    },
    async close() {
      closed = true;
      await Promise.race([Promise.all(underWay), delay(LAST_ANSWERS, undefined, { ref: false })]);
      released = true;
      // Who waits for a connection that hangs would hear of it by the time-out alone.
      for (const { reject } of waiters) reject(new Error("the event log is closed"));
      waiters.clear();
      await disconnect(client);
    },
  };
}

/** A link with a client of its own, which Redis knows as `mandrill-live:<role>`. */
export function openLink(connection: RedisConnection, role: string, timeoutMs: number): Link {
  return createLink({ client: createClient(connection, `mandrill-live:${role}`, timeoutMs), connection, timeoutMs });
}

/** Settles as `promise` does, or rejects after `ms`. */
function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(logUnavailable(`Redis did not answer within ${ms} ms.`)), ms);
    const settle = (act: () => void) => {
      clearTimeout(timer);
      act();
    };
    promise.then(
      (value) => settle(() => resolve(value)),
      (error: unknown) => settle(() => reject(error as Error)),
    );
  });
}

/** The word that tells what Redis objects to; behind ERR where a script has raised it. */
const REPLY_CODE = /\b(?!ERR\b)[A-Z]{3,}\b/;

/** What may be told of the client's error: the code that Redis or the system gave it, never a host or a key. */
function unavailable(error: unknown): ServiceError {
  const { name, message, code } = error as NodeJS.ErrnoException;
  // The client hangs the whole command on its error: events, and the addresses in them, are not to get into a log file.
  if (error instanceof Error && "command" in error) delete error.command;
  if (name === "ReplyError") return logUnavailable(`Redis refuses: ${REPLY_CODE.exec(message)?.[0] ?? "ERR"}.`, error);
  if (message === TIMED_OUT) return logUnavailable("Redis does not answer.", error);
  return logUnavailable(code === undefined ? "Redis cannot be reached." : `Redis cannot be reached: ${code}.`, error);
}

function disconnect(client: RedisClient): Promise<void> {
  const atRest = AT_REST.includes(client.status);
  const ended = new Promise<void>((resolve) => {
    if (atRest) return resolve();
    const timer = setTimeout(resolve, CLOSE_TIMEOUT);
    client.once("end", () => {
      clearTimeout(timer);
      resolve();
    });
  });
  client.disconnect();
  return ended;
}
