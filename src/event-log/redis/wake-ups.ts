import type { EventEmitter } from "node:events";
import { RedisPubSub } from "graphql-redis-subscriptions";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { WakeUp } from "../event-log.ts";
import type { RedisClient } from "./connection.ts";
import type { Link } from "./link.ts";
import type { LogStates } from "./log-state.ts";
import type { OwnBatches } from "./own-batches.ts";
import { readWakeUpMessage } from "./wake-up-message.ts";

/**
 * Milliseconds between two proofs that the subscription stands: a half-open connection, and a subscription that a
 * cluster's client has lost with its node, are noticed in no other way.
 */
const PROOF_INTERVAL = 10_000;

/** The wake-ups that appends of every instance send over the channel. */
export interface WakeUps {
  /** Returns a function that stops it. */
  listen(listener: (wakeUp: WakeUp) => void): () => void;
  /** Ends what runs by time; the connection is the link's. */
  stop(): void;
}

export interface WakeUpsOptions {
  readonly client: RedisClient;
  readonly link: Link;
  readonly channel: string;
  readonly states: LogStates;
  readonly own: OwnBatches;
  readonly logger?: Pick<Logger, "warn"> | undefined;
}

export function createWakeUps({ client, link, channel, states, own, logger }: WakeUpsOptions): WakeUps {
  const listeners = new Set<(wakeUp: WakeUp) => void>();
  const tell = (wakeUp: WakeUp) => {
    for (const listener of listeners) listener(wakeUp);
  };

  const pubSub = new RedisPubSub({
    publisher: client,
    subscriber: steadySubscriber(client),
    messageEventName: "messageBuffer",
    pmessageEventName: "pmessageBuffer",
    // A throw in here would hand the message out unread.
    deserializer: (message) => (listeners.size === 0 ? {} : readWakeUpMessage(message as Buffer, states, own)),
  });
  void pubSub.subscribe(channel, tell);

  /** Whether the last proof held; null before the first. */
  let standing: boolean | null = null;

  /** Subscribes on the connection as it is now. Subscribing again changes nothing, and its answer is the proof. */
  async function prove(): Promise<void> {
    try {
      await link.run(() => client.subscribe(channel));
      // What was appended while nobody listened only a look can tell.
      if (standing !== true) tell({});
      standing = true;
    } catch (error) {
      // That Redis is gone altogether is told by the connection for appends.
      if (standing !== false && client.status === "ready") {
        logger?.warn({ err: error }, "no wake-ups come from Redis: events wait for the next look");
      }
      standing = false;
    }
  }

  link.onReady(() => {
    standing = null;
    void prove();
  });
  const timer = setInterval(() => void prove(), PROOF_INTERVAL);
  timer.unref();

  return {
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    stop: () => clearInterval(timer),
  };
}

/**
 * The client as RedisPubSub is to see it: a SUBSCRIBE that fails leaves it with a rejection that nobody can catch, and
 * so does unsubscribing from a connection that is closed. The one subscription of this process is made, and made again,
 * by {@link createWakeUps}; RedisPubSub reads its messages and deals them out.
 */
function steadySubscriber(client: RedisClient): Redis {
  const subscriber = {
    on: (event: string, listener: (...values: unknown[]) => void) => (client as EventEmitter).on(event, listener),
    subscribe: (_channel: string, done: (error: null) => void) => done(null),
  };
  return subscriber as unknown as Redis;
}
