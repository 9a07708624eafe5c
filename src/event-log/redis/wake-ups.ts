import type { EventEmitter } from "node:events";
import { RedisPubSub } from "graphql-redis-subscriptions";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { Entry } from "../../event/entry.ts";
import type { WakeUp } from "../event-log.ts";
import type { RedisClient } from "./connection.ts";
import type { Link } from "./link.ts";
import type { LogStates } from "./log-state.ts";

/**
 * Milliseconds between two proofs that the subscription stands: a half-open connection, and a subscription that a
 * cluster's client has lost with its node, are noticed in no other way.
 */
const PROOF_INTERVAL = 10_000;

const NEWLINE = 0x0a;
const TAG_LENGTH = 8;

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
  readonly logger?: Pick<Logger, "warn"> | undefined;
}

export function createWakeUps({ client, link, channel, states, logger }: WakeUpsOptions): WakeUps {
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
    deserializer: (message) => (listeners.size === 0 ? {} : readMessage(message as Buffer, states)),
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

interface MessageHead {
  /** Epoch. */
  readonly e: string;
  /** Number and tag of the entry before. */
  readonly p: number;
  readonly pt: string;
  /** receivedAt of all of them. */
  readonly r: number;
  /** The newest number. */
  readonly n: number;
}

/**
 * A message of append.lua: a line of JSON, then, where they are small enough, a line for each entry with its tag and
 * its stored event. A stored event is JSON and holds no line break.
 */
function readMessage(received: Buffer, states: LogStates): WakeUp {
  try {
    const end = received.indexOf(NEWLINE);
    const head = received.toString("utf8", 0, end === -1 ? received.length : end);
    const { e: epoch, p: before, pt, r: receivedAt, n: number } = JSON.parse(head) as MessageHead;
    const { known } = states;
    // Under another epoch's key the entries would get cursors of a log that is no more: the look learns the new one.
    if (end === -1 || known?.epoch !== epoch) return Object.freeze({ number });
    // What was received may be a small part of a large buffer, which its entries would keep in memory. As bytes they
    // are none of the garbage collector's business.
    const lines = linesOf(Buffer.from(received.subarray(end + 1)));
    const entries = lines.map((line, i): Entry => {
      const position = { epoch, number: before + i + 1, tag: line.toString("latin1", 0, TAG_LENGTH) };
      return new Entry(position, receivedAt, line.subarray(TAG_LENGTH), line.length - TAG_LENGTH, known.codec);
    });
    const run = Object.freeze({ follows: Object.freeze({ epoch, number: before, tag: pt }), entries });
    return Object.freeze({ number, run });
  } catch {
    return Object.freeze({});
  }
}

function linesOf(text: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let from = 0; from <= text.length; ) {
    const end = text.indexOf(NEWLINE, from);
    const to = end === -1 ? text.length : end;
    lines.push(text.subarray(from, to));
    from = to + 1;
  }
  return lines;
}
