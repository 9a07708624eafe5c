import type { Audience, Latency } from "./arrivals.ts";
import type { BodyFormat, Recipients } from "./request-body.ts";

/** What the load client is told over its IPC channel; it answers each with a {@link Reply} before the next. */
export type Command = ConnectCommand | ProbeCommand | PostCommand | DropCommand | LeaveCommand | ReturnCommand;

/** Where a stack is, and how it is spoken to. */
export interface Target {
  readonly host: string;
  readonly port: number;
  /** Path of the WebSocket. */
  readonly socketPath: string;
  /** Path of the POST. */
  readonly postPath: string;
  readonly format: BodyFormat;
  /** Whether the socket speaks graphql-transport-ws; otherwise the handshake alone subscribes. */
  readonly graphql: boolean;
  /** Whether results bear each socket's own operation id. */
  readonly ownIds: boolean;
  /** A frame's text for stacks that are posted ready strings. */
  readonly readyString: string;
}

/** Connects listeners and has them subscribe. */
export interface ConnectCommand {
  readonly name: "connect";
  readonly target: Target;
  /** What message ids begin with, in this run of the bench. */
  readonly prefix: string;
  readonly listeners: number;
  /** Payloads of the subscribe messages, JSON: listener i has the one at i modulo their number. */
  readonly payloads: readonly string[];
}

/** Posts single events until each listener has got one, so that all are known to listen. Answers a {@link Probed}. */
export interface ProbeCommand {
  readonly name: "probe";
  readonly recipients: Recipients;
}

export interface Probed {
  /** The text of a `next` frame; empty where nobody listens. */
  readonly text: string;
}

/** Posts events for a while and waits for the last delivery. Answers a {@link Posted}. */
export interface PostCommand {
  readonly name: "post";
  readonly audience: Audience;
  readonly recipients: Recipients;
  readonly eventsPerPost: number;
  readonly inFlight: number;
  /** Whether a POST is in flight until it is answered, or until its events have reached everyone as well. */
  readonly until: "answered" | "delivered";
  /** No new POST after so many milliseconds. */
  readonly forMs: number;
  /** POSTs at the most. @default no limit */
  readonly posts?: number | undefined;
  /** A POST every so many milliseconds, whatever has been answered; without, as soon as one may. */
  readonly everyMs?: number | undefined;
}

export interface Posted extends Latency {
  readonly posts: number;
  readonly events: number;
  readonly deliveries: number;
  /** Milliseconds from the first POST to the last answer and delivery. */
  readonly wallMs: number;
  /** Milliseconds of CPU that the load client took meanwhile. */
  readonly clientCpuMs: number;
}

/** Drops all sockets at once, without a word. */
export interface DropCommand {
  readonly name: "drop";
}

/**
 * Posts one event to all listeners and keeps its cursor, drops them all, and posts `missed` events, a hundred a POST,
 * to nobody.
 */
export interface LeaveCommand {
  readonly name: "leave";
  readonly missed: number;
}

/**
 * Lets those who have left come back with the cursor that they had, evenly over `overMs`, while single events go on
 * being posted. Answers a {@link Returned} when each has got everything, in order.
 */
export interface ReturnCommand {
  readonly name: "return";
  /** Payload of the subscribe message, in which the string "$after" stands for the cursor. */
  readonly payload: string;
  readonly overMs: number;
  readonly liveEveryMs: number;
}

export interface Returned {
  /** What each listener got: all that it had missed, and all that was posted during the return. */
  readonly eventsEach: number;
  readonly deliveries: number;
  /** POSTs during the return. */
  readonly posts: number;
  /** Connections that failed before they were subscribed, and were tried again. */
  readonly refused: number;
  /** Milliseconds from the first attempt to connect until the last listener's first. */
  readonly connectMs: number;
  /** Milliseconds from then until the last listener was connected and had everything. */
  readonly catchUpMs: number;
  readonly clientCpuMs: number;
}

export type Reply = { readonly result: unknown } | { readonly error: string };
