import { setTimeout as pause } from "node:timers/promises";
import type { Fault } from "./ground.ts";

/** What befalls instances, listeners and batches: beside what befalls the store. */
export const EDGE_FAULTS = {
  "kill an instance": ({ instances }, random) => random.oneOf(instances).replace("SIGKILL"),
  "kill an instance on the way to its answer": ({ instances }, random) => {
    const instance = random.oneOf(instances);
    return instance.replaceAt(random.oneOf(instance.moments));
  },
  "stop an instance": ({ instances }, random) => random.oneOf(instances).replace("SIGTERM"),
  "hold an instance": async ({ instances }, random) => {
    const instance = random.oneOf(instances);
    instance.hold();
    await pause(random.between(50, 1_500));
    instance.release();
  },
  "cut an instance's sockets": async ({ instances }, random) => random.oneOf(instances).front.cutAll(),
  "stall an instance's sockets": async ({ instances }, random) => {
    const { front } = random.oneOf(instances);
    front.stall();
    await pause(random.between(50, 900));
    front.resume();
  },
  "cut a listener": async ({ listeners }, random) => random.oneOf(listeners).cut(),
  "cut all listeners": async ({ listeners }) => {
    for (const listener of listeners) listener.cut();
  },
  "keep a listener away": async ({ listeners }, random) =>
    random.oneOf(listeners).away(pause(random.between(100, 2_000))),
  "repeat a batch": ({ mandrill }) => mandrill.repeat(),
} as const satisfies Record<string, Fault>;
