import { setTimeout as pause } from "node:timers/promises";
import { createResumingClient, type Gap, type GapAnswer } from "../../client/resuming-client.ts";
import type { Follower } from "./follower.ts";
import type { Random } from "./random.ts";
import { DOCUMENT, headOf, type Transport } from "./transport.ts";

/** Before another attempt. Milliseconds. */
const RETRY_AFTER = 30;
/** The service pings every second: what is silent for longer is gone. Milliseconds. */
const SILENCE = 4_000;

interface Data extends Record<string, unknown> {
  readonly eventReceived: { readonly messageId: string; readonly cursor: string };
}

/** Someone who listens, and what can befall him. */
export interface Listener {
  readonly follower: Follower;
  /** Ends his connection, as a lost network does: he comes back. */
  cut(): void;
  /** Ends his connection and keeps him away until this resolves. */
  away(absence: Promise<unknown>): void;
  stop(): Promise<void>;
}

export interface ListenerOptions {
  readonly follower: Follower;
  /** Base URL of an instance, another one each time. */
  readonly url: () => string;
  readonly random: Random;
}

/** Follows by one of these transports, another one after each disconnect. */
export function startListener(transports: readonly Transport[], { follower, url, random }: ListenerOptions): Listener {
  let connection = new AbortController();
  let absence: Promise<unknown> = Promise.resolve();
  let stopped = false;

  async function connect(): Promise<void> {
    connection = new AbortController();
    const base = url();
    if (follower.place === null) follower.begin(await headOf(base, connection.signal));
    await random.oneOf(transports).serve(follower, base, connection.signal);
  }

  async function run(): Promise<void> {
    while (!stopped) {
      await absence;
      // The connection is gone, or there is nobody to connect to.
      await connect().catch(() => {});
      await pause(RETRY_AFTER);
    }
  }

  const done = run();
  return {
    follower,
    cut: () => connection.abort(new Error("cut")),
    away(until) {
      absence = until;
      connection.abort(new Error("away"));
    },
    async stop() {
      stopped = true;
      connection.abort(new Error("stopped"));
      await done;
    },
  };
}

/** Follows by the client that the project ships: live from now on, or behind a place of its own. */
export function startResumingListener({ follower, url, random }: ListenerOptions): Listener {
  let absence: Promise<unknown> = Promise.resolve();
  let stopped = false;
  const stopping = new AbortController();

  const headSomewhere = async (): Promise<string> => {
    for (;;) {
      const head = await headOf(url(), stopping.signal).catch(() => null);
      if (head !== null) return head;
      stopping.signal.throwIfAborted();
      await pause(RETRY_AFTER);
    }
  };

  async function onGap({ code, after, oldest, head, goesOn }: Gap): Promise<GapAnswer | undefined> {
    follower.gap(code, after ?? null, oldest, head);
    const answer = random.oneOf([undefined, "head", "oldest", "after"] as const);
    const told = (answer ?? goesOn) === "oldest" ? (oldest ?? head) : head;
    if (answer === "after" || told === null) {
      const found = await headSomewhere();
      follower.begin(found);
      return { after: found };
    }
    follower.begin(told);
    return answer;
  }

  const client = createResumingClient({
    url: async () => {
      await absence;
      return `${url().replace("http:", "ws:")}/graphql`;
    },
    silenceTimeout: SILENCE,
    retryWait: () => pause(random.between(RETRY_AFTER, 3 * RETRY_AFTER)),
    onGap,
    onLag: () => {
      follower.lags += 1;
    },
  });

  async function subscribe(): Promise<() => void> {
    const isLive = random.onceIn(2);
    if (isLive) {
      const ended = client.on("connected", (_, payload) => {
        ended();
        // Live from now on, which is no earlier than this; it knows no closer.
        follower.begin((payload as { readonly head: string }).head, false);
      });
    } else {
      follower.begin(await headSomewhere());
    }
    return client.subscribe<Data, { readonly cursor?: unknown }>(
      {
        query: DOCUMENT,
        variables: { ...follower.audience.args },
        ...(isLive ? {} : { extensions: { after: follower.place } }),
      },
      {
        next({ data, errors, extensions }) {
          const event = data?.eventReceived;
          if (event == null) follower.complain(`a result without an event: ${JSON.stringify(errors)}`);
          else if (extensions?.cursor === event.cursor) follower.event(event.messageId, event.cursor);
          else follower.complain("extensions.cursor is another");
        },
        error: (error) => void (stopped || follower.complain(`ended by ${describe(error)}`)),
        complete: () => void (stopped || follower.complain("completed without a word")),
      },
    );
  }

  const subscribed = subscribe();
  subscribed.catch(() => {});
  return {
    follower,
    cut: () => client.terminate(),
    away(until) {
      absence = until;
      client.terminate();
    },
    async stop() {
      stopped = true;
      stopping.abort(new Error("stopped"));
      await subscribed.then(
        (end) => end(),
        () => {},
      );
      await client.dispose();
    },
  };
}

function describe(error: unknown): string {
  return error instanceof Error ? String(error.stack) : JSON.stringify(error);
}
