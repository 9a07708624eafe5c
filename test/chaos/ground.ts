import type { Environment } from "../../src/config.ts";
import type { Moment } from "../harness/moment.ts";
import type { History } from "./history.ts";
import type { Instance } from "./instance.ts";
import type { Listener } from "./listener.ts";
import type { Mandrill } from "./mandrill.ts";
import type { Random } from "./random.ts";

/** What faults befall beside the store. */
export interface Scene {
  readonly instances: readonly Instance[];
  readonly listeners: readonly Listener[];
  readonly mandrill: Mandrill;
}

/** Resolves when it is over: what was held goes on again. */
export type Fault = (scene: Scene, random: Random) => Promise<unknown>;
export type StoreFault<S> = (store: S, scene: Scene, random: Random) => Promise<unknown>;

/** By which an instance comes to its log. */
export interface Way {
  /** Of 127.0.0.1: a proxy lies before it. null: there is none, the log is in the instance's own folder. */
  readonly port: number | null;
  /** @param port that of the proxy */
  env(port: number): Environment;
  readonly dataDir?: string | undefined;
  /** In which its instance can be killed. */
  readonly moments: readonly Moment[];
}

/** Where the log lies in one run. */
export interface Store {
  readonly history: History;
  readonly faults: Readonly<Record<string, Fault>>;
  /** That of the i-th instance. */
  way(index: number): Way;
  stop(): Promise<void>;
}

/** What a log can lie on. */
export interface Ground {
  /** Names of the faults that befall it: one at a time. */
  readonly faults: readonly string[];
  /** What it draws for every instance. */
  settings(random: Random): Environment;
  /** Instances that it can have. @default any number */
  readonly mostInstances?: number | undefined;
  open(): Promise<Store>;
}

export function befalling<S>(store: S, faults: Readonly<Record<string, StoreFault<S>>>): Store["faults"] {
  const bound = Object.entries(faults).map(
    ([name, fault]) => [name, (scene: Scene, random: Random) => fault(store, scene, random)] as const,
  );
  return Object.fromEntries(bound);
}
