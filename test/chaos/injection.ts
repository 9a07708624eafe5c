import { setTimeout as pause } from "node:timers/promises";
import type { Fault, Scene } from "./ground.ts";
import type { Random } from "./random.ts";

export interface InjectionOptions {
  /** Until when, by `performance.now()`. */
  readonly until: number;
  /** Ends it after the fault under way. */
  readonly signal: AbortSignal;
  readonly random: Random;
  readonly scene: Scene;
  /** Is told of each before it begins. */
  readonly onFault: (name: string) => void;
}

/** Has one fault after another befall the scene, chosen and timed by `random`. */
export async function inject(
  faults: readonly (readonly [name: string, fault: Fault])[],
  { until, signal, random, scene, onFault }: InjectionOptions,
): Promise<void> {
  if (faults.length === 0) return;
  for (;;) {
    await pause(random.between(10, 350));
    if (signal.aborted || performance.now() > until) return;
    const [name, fault] = random.oneOf(faults);
    onFault(name);
    await fault(scene, random);
  }
}
