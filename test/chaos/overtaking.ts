import { setTimeout as pause } from "node:timers/promises";
import type { Scene } from "./ground.ts";
import type { Instance } from "./instance.ts";
import type { Listener } from "./listener.ts";
import type { Mandrill } from "./mandrill.ts";

/** For a log to grow past what it was. Milliseconds. */
const GROWING = 10_000;
const LOOK_INTERVAL = 20;

/** Resolves when more than `count` events have been appended since it was called, or there was no time for it. */
export async function grownBy(count: number, mandrill: Mandrill): Promise<void> {
  const from = mandrill.appended;
  const end = performance.now() + GROWING;
  while (mandrill.appended - from <= count && performance.now() < end) await pause(LOOK_INTERVAL);
}

/** Runs `act` while nobody listens. */
async function unheard(listeners: readonly Listener[], act: () => Promise<void>): Promise<void> {
  const absence = Promise.withResolvers<void>();
  for (const listener of listeners) listener.away(absence.promise);
  try {
    await act();
  } finally {
    absence.resolve();
  }
}

/** Kills every instance, runs `act` when none is there, and starts them again. */
export async function whileAllAreDown(instances: readonly Instance[], act: () => Promise<void>): Promise<void> {
  const acted = Promise.withResolvers<void>();
  let up = instances.length;
  const onDown = (): Promise<void> => {
    up -= 1;
    if (up === 0) acted.resolve(act());
    return acted.promise;
  };
  await Promise.all(instances.map((instance) => instance.replace("SIGKILL", onDown)));
}

/**
 * Puts an older state of the log back by `restore`, which returns how much is lost, while no instance runs; nobody comes
 * back before it has grown past its old head.
 */
export function restoredAndOvertaken(
  { instances, listeners, mandrill }: Scene,
  restore: () => Promise<number>,
): Promise<void> {
  return unheard(listeners, async () => {
    let lost = 0;
    await whileAllAreDown(instances, async () => {
      lost = await restore();
    });
    await grownBy(lost, mandrill);
  });
}
