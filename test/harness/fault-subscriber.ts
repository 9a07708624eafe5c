import { setTimeout as pause } from "node:timers/promises";
import { connectSocket, type ServerMessage, type SocketClient } from "./socket-client.ts";

/** Milliseconds before it connects, or subscribes, again. */
const RETRY_AFTER = 20;

const ALL = "subscription { eventReceived { messageId } }";
const HEAD = "{ recentEvents(first: 1) { head } }";
const GAPS = ["CURSOR_UNKNOWN", "CURSOR_EXPIRED"];
/** After these one subscribes again from the place that one has. */
const PASSING = ["LOG_UNAVAILABLE", "SUBSCRIBER_LAGGED", "SHUTTING_DOWN"];

/** A gap that the subscriber was told of. */
export interface ToldGap {
  readonly code: string;
  /** How much had been received before it. */
  readonly received: number;
}

/** Listens to everything, and after whatever ends it goes on from its place: at the log's head, after a told gap. */
export interface FaultSubscriber {
  /** Message ids in the order in which they came. */
  readonly received: readonly string[];
  readonly gaps: readonly ToldGap[];
  /** Sockets that were opened. */
  readonly connections: number;
  /** Resolves when `condition` holds, which is asked whenever something has come. Rejects when the server errs. */
  until(condition: (subscriber: FaultSubscriber) => boolean): Promise<void>;
  /** Ends its socket, as a lost network does: it comes back. */
  cut(): void;
  stop(): Promise<void>;
}

/**
 * Resolves when it has its first place, from which on it gets everything.
 * @param target where to connect to, asked each time: a promise keeps it away for as long
 */
export async function startFaultSubscriber(target: () => string | Promise<string>): Promise<FaultSubscriber> {
  const received: string[] = [];
  const gaps: ToldGap[] = [];
  let waiters: { readonly condition: () => boolean; readonly resolve: () => void }[] = [];
  let connections = 0;
  let stopped = false;
  let client: SocketClient | undefined;
  let place: string | undefined;
  let fail: (error: Error) => void = () => {};
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failed.catch(() => {});
  const stopping = Promise.withResolvers<null>();

  const changed = (): void => {
    waiters = waiters.filter(({ condition, resolve }) => {
      if (!condition()) return true;
      resolve();
      return false;
    });
  };

  /** Whether the operation is over. */
  const take = async ({ type, payload }: ServerMessage, socket: SocketClient): Promise<boolean> => {
    if (type === "next") {
      received.push(payload.data.eventReceived.messageId);
      place = payload.extensions.cursor;
      changed();
      return false;
    }
    const { code, after } = payload?.[0]?.extensions ?? {};
    if (GAPS.includes(code)) {
      gaps.push({ code, received: received.length });
      place = await headOf(socket);
    } else if (type === "error" && PASSING.includes(code)) {
      place = after ?? place;
      await pause(RETRY_AFTER);
    } else {
      fail(new Error(`the subscription ended: ${type} ${JSON.stringify(payload)}`));
      stopped = true;
    }
    return true;
  };

  const serve = async (socket: SocketClient): Promise<void> => {
    for (let operation = 1; !stopped; operation++) {
      socket.subscribe(`${operation}`, ALL, { extensions: { after: place } });
      // Told of only now: what is appended from here on is later than its new place.
      changed();
      while (!(await take(await socket.next(`${operation}`), socket)));
    }
  };

  /** Null where it is stopped meanwhile. */
  const connect = (): Promise<SocketClient | null> => {
    const connected = (async () => {
      const socket = await connectSocket(await target());
      if (stopped) socket.socket.terminate();
      return socket;
    })();
    connected.catch(() => {});
    return Promise.race([connected, stopping.promise]);
  };

  const run = async (): Promise<void> => {
    while (!stopped) {
      try {
        const socket = await connect();
        if (socket === null) return;
        client = socket;
        connections += 1;
        place ??= client.ack.head as string;
        await serve(client);
      } catch {
        // The socket is gone, or there is nobody to connect to.
        await pause(RETRY_AFTER);
      }
    }
    client?.socket.terminate();
  };

  const subscriber: FaultSubscriber = {
    received,
    gaps,
    get connections() {
      return connections;
    },
    until: (condition) => {
      const met = (): boolean => condition(subscriber);
      if (met()) return Promise.resolve();
      return Promise.race([failed, new Promise<void>((resolve) => waiters.push({ condition: met, resolve }))]);
    },
    cut: () => client?.socket.terminate(),
    async stop() {
      stopped = true;
      stopping.resolve(null);
      client?.socket.terminate();
      await done;
    },
  };
  const done = run();
  await subscriber.until(() => place !== undefined);
  return subscriber;
}

/** A subscriber that can be kept away. */
export interface AwaySubscriber {
  readonly subscriber: FaultSubscriber;
  /** Ends its socket; it finds nobody until {@link back}. */
  away(): void;
  back(socketUrl: string): void;
}

export async function startAwaySubscriber(socketUrl: string): Promise<AwaySubscriber> {
  let target: string | Promise<string> = socketUrl;
  let back: (socketUrl: string) => void = () => {};
  const subscriber = await startFaultSubscriber(() => target);
  return {
    subscriber,
    away() {
      target = new Promise((resolve) => {
        back = resolve;
      });
      subscriber.cut();
    },
    back: (url) => back(url),
  };
}

async function headOf(socket: SocketClient): Promise<string> {
  for (;;) {
    socket.subscribe("head", HEAD);
    const { type, payload } = await socket.next("head");
    if (type === "next") await socket.next("head");
    const head = payload.data?.recentEvents?.head as string | undefined;
    if (head !== undefined) return head;
    await pause(RETRY_AFTER);
  }
}
