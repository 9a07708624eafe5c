import { setTimeout as sleep } from "node:timers/promises";
import type { PostCommand, Posted } from "../load/command.ts";
import type { Recipients } from "../load/request-body.ts";
import { SELECTION } from "../load/sample-event.ts";
import { type Loader, startLoader } from "./loader.ts";
import { LOAD_CORE } from "./machine.ts";
import { coreMeter, cpuMs } from "./process-cost.ts";
import type { Stack } from "./stack.ts";

/** What a process has left to do when the last frame has arrived. Milliseconds. */
const AFTERMATH = 50;

/** Who is to get the events where every subscriber gets each. */
export const EVERYONE: Recipients = { count: 1, samePerPost: true };

/** The payload of a subscribe message. */
export function subscribePayload(query: string, variables?: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ query, variables });
}

/** The subscription that most questions use: no filter, so that it takes every event. */
export const SUBSCRIBE_TO_ALL = subscribePayload(`subscription { eventReceived { ${SELECTION} } }`);

/** A stack with the client that listens to it and posts to it. */
export interface Contender {
  readonly stack: Stack;
  readonly loader: Loader;
  /** Lets go of all listeners and connects others, all of which have got an event when it resolves. */
  listen(listeners: number, payloads?: readonly string[], recipients?: Recipients): Promise<string>;
  stop(): Promise<void>;
}

/** @param prefix what message ids begin with in this run */
export function createContender(stack: Stack, prefix: string): Contender {
  const loader = startLoader(stack.target);
  return {
    stack,
    loader,
    async listen(listeners, payloads = [SUBSCRIBE_TO_ALL], recipients = EVERYONE) {
      await loader.drop();
      await loader.connect({ target: stack.target, prefix, listeners, payloads });
      return listeners === 0 ? "" : (await loader.probe(recipients)).text;
    },
    async stop() {
      // Listeners first: a server that ends is no failure then.
      await loader.stop();
      await stack.stop();
    },
  };
}

/** What one round has cost. */
export interface Round extends Posted {
  /** CPU of the stack's process, all threads. Milliseconds. */
  readonly cpuMs: number;
  readonly cpuPerDelivery: number;
  /** Microseconds. */
  readonly cpuPerEvent: number;
  readonly eventsPerSecond: number;
  readonly deliveriesPerSecond: number;
  /** Share of time that the load client was busy; what else runs on its core comes on top. */
  readonly clientShare: number;
  readonly loadCoreShare: number;
}

/** One round of posting, and what the stack spent on it. */
export async function measure(
  { stack, loader }: Contender,
  plan: Omit<PostCommand, "name" | "recipients"> & { readonly recipients?: Recipients },
): Promise<Round> {
  await sleep(AFTERMATH);
  const loadCore = coreMeter(LOAD_CORE);
  const before = cpuMs(stack.pid);
  const posted = await loader.post({ recipients: EVERYONE, ...plan });
  const loadCoreShare = loadCore();
  await sleep(AFTERMATH);
  const cpu = cpuMs(stack.pid) - before;
  return {
    ...posted,
    cpuMs: cpu,
    cpuPerDelivery: (cpu * 1_000) / posted.deliveries,
    cpuPerEvent: (cpu * 1_000) / posted.events,
    eventsPerSecond: (posted.events * 1_000) / posted.wallMs,
    deliveriesPerSecond: (posted.deliveries * 1_000) / posted.wallMs,
    clientShare: posted.clientCpuMs / posted.wallMs,
    loadCoreShare,
  };
}
