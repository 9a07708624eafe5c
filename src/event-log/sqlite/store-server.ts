import type { ErrorCode } from "../../error.ts";
import type { SqliteStore } from "./sqlite-store.ts";
import type { AppendBatch, StoreCalls } from "./store-calls.ts";
import { endsConnection, storeError } from "./store-error.ts";

/** A call as it crosses to the worker. */
export interface CallMessage {
  readonly id: number;
  readonly method: keyof StoreCalls;
  readonly args: readonly unknown[];
}

/** What comes back; each call has one. */
export type ReplyMessage =
  | { readonly id: number; readonly result: unknown }
  | {
      readonly id: number;
      readonly error: {
        readonly code: ErrorCode;
        readonly message: string;
        readonly extensions: Readonly<Record<string, unknown>>;
      };
    };

/** Events and bytes that one transaction takes from appends that wait together; a larger batch goes alone. */
const GROUP_EVENTS = 5_000;
const GROUP_BYTES = 32 * 1024 * 1024;

interface AppendCall extends CallMessage {
  readonly args: readonly [AppendBatch];
}

function isAppend(call: CallMessage): call is AppendCall {
  return call.method === "append";
}

/** Splits appends, in order, into groups for one transaction each. */
function grouped(appends: readonly AppendCall[]): AppendCall[][] {
  const groups: AppendCall[][] = [];
  let events = 0;
  let bytes = 0;
  for (const append of appends) {
    const { stored } = append.args[0];
    const weight = stored.reduce((sum, { length }) => sum + length, 0);
    const group = groups.at(-1);
    if (group !== undefined && events + stored.length <= GROUP_EVENTS && bytes + weight <= GROUP_BYTES) {
      group.push(append);
    } else {
      groups.push([append]);
      events = 0;
      bytes = 0;
    }
    events += stored.length;
    bytes += weight;
  }
  return groups;
}

/**
 * Answers calls on the store, those that wait together at once: first the appends, in order, as few transactions, so
 * that they share the wait for the disk; then the others. Opens the store anew after a failure that ends it.
 */
export function serveStore(
  openStore: () => SqliteStore,
  send: (reply: ReplyMessage) => void,
): (calls: readonly CallMessage[]) => "open" | "closed" {
  let store: SqliteStore | undefined;
  let broken: unknown;

  function refuse({ id }: CallMessage, error: unknown): void {
    const { code, message, extensions } = storeError(error);
    send({ id, error: { code, message, extensions } });
  }

  /** Whether the store is open. Where it cannot be opened, `waiting` is refused. */
  function open(waiting: readonly CallMessage[]): boolean {
    try {
      store ??= openStore();
      return true;
    } catch (error) {
      // Once for all that wait, since an opening that fails may have waited for the lock.
      for (const call of waiting) refuse(call, error);
      return false;
    }
  }

  /** Gives a store up that has failed for good: appends that wait with this one are refused, other calls open anew. */
  function use<T>(work: (open: SqliteStore) => T): T {
    if (store === undefined) throw broken;
    try {
      return work(store);
    } catch (error) {
      if (endsConnection(error)) {
        const ended = store;
        store = undefined;
        broken = error;
        ended.close();
      }
      throw error;
    }
  }

  function append(group: readonly AppendCall[]): void {
    try {
      const replies = use((open) => open.append(group.map(({ args: [batch] }) => batch)));
      for (const [i, { id }] of group.entries()) send({ id, result: replies[i] });
    } catch (error) {
      // One batch may be what all of them failed for: each has its own chance.
      if (group.length > 1) for (const call of group) append([call]);
      else for (const call of group) refuse(call, error);
    }
  }

  function answer(call: CallMessage): void {
    const method = call.method as Exclude<keyof StoreCalls, "append" | "close">;
    try {
      const result = use((open) => (open[method] as (...args: readonly unknown[]) => unknown)(...call.args));
      if (result instanceof Promise) {
        result.then(
          (value) => send({ id: call.id, result: value }),
          (error: unknown) => refuse(call, error),
        );
      } else {
        send({ id: call.id, result });
      }
    } catch (error) {
      refuse(call, error);
    }
  }

  function serve(calls: readonly CallMessage[]): void {
    if (!open(calls)) return;
    for (const group of grouped(calls.filter(isAppend))) append(group);
    const others = calls.filter((call) => !isAppend(call));
    for (const [i, call] of others.entries()) {
      // A disk that takes nothing has ended the connection of whoever wrote: who only reads is answered all the same.
      if (store === undefined && !open(others.slice(i))) return;
      answer(call);
    }
  }

  return (calls) => {
    const closing = calls.find(({ method }) => method === "close");
    const others = calls.filter((call) => call !== closing);
    if (others.length > 0) serve(others);
    if (closing === undefined) return "open";
    store?.close();
    send({ id: closing.id, result: undefined });
    return "closed";
  };
}
