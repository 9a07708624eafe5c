import type { ProxyOptions } from "./proxy.ts";

/** What passes between a publisher, an instance and Redis when the instance is killed. */
export interface Moment {
  readonly on: "http" | "redis";
  readonly from: "client" | "target";
  readonly isIt: (chunk: Buffer) => boolean;
  /** Whether it still reaches the other side. What the client sends after it never does. */
  readonly passes: boolean;
}

const having = (text: string) => (chunk: Buffer) => chunk.includes(text);
/** The append's reply has seven parts, and begins with how many were appended, and how many duplicates there were. */
const REPLY = /\*7\r\n:[1-9]\d*\r\n:0\r\n:\d+\r\n/;

const BATCH_NOT_ARRIVED: Moment = {
  on: "http",
  from: "client",
  isIt: having("mandrill_events"),
  passes: false,
};
const BATCH_ARRIVED: Moment = { ...BATCH_NOT_ARRIVED, passes: true };
/** The stored events are in the command. */
const APPEND_NOT_SENT: Moment = { on: "redis", from: "client", isIt: having('"_id":"'), passes: false };
const APPEND_SENT: Moment = { ...APPEND_NOT_SENT, passes: true };
const APPEND_NOT_HEARD: Moment = {
  on: "redis",
  from: "target",
  isIt: (chunk) => REPLY.test(chunk.toString("latin1")),
  passes: false,
};
const ANSWER_NOT_SENT: Moment = { on: "http", from: "target", isIt: having("HTTP/1.1 200"), passes: false };
const ANSWER_SENT: Moment = { ...ANSWER_NOT_SENT, passes: true };

/** The steps between receiving a batch and answering it that can be told from outside; and what Redis gets and says. */
export const HTTP_MOMENTS = [BATCH_NOT_ARRIVED, BATCH_ARRIVED, ANSWER_NOT_SENT, ANSWER_SENT] as const;
export const MOMENTS = [
  BATCH_NOT_ARRIVED,
  BATCH_ARRIVED,
  APPEND_NOT_SENT,
  APPEND_SENT,
  APPEND_NOT_HEARD,
  ANSWER_NOT_SENT,
  ANSWER_SENT,
] as const;

/** Looks at what passes the proxies on either side of an instance, and kills it at a moment. */
export interface MomentWatch {
  /** What the proxy on this side is given. */
  passOn(side: Moment["on"]): NonNullable<ProxyOptions["pass"]>;
  arm(moment: Moment): void;
  /** Lets everything pass again: for the next process, or since the moment did not come. */
  reset(): void;
}

export function watchForMoments(kill: () => void): MomentWatch {
  let armed: Moment | null = null;
  let killed = false;
  return {
    passOn: (side) => (chunk, from) => {
      if (killed) return from === "target";
      if (armed === null || armed.on !== side || armed.from !== from || !armed.isIt(chunk)) return true;
      killed = true;
      kill();
      const { passes } = armed;
      armed = null;
      return passes;
    },
    arm(moment) {
      armed = moment;
    },
    reset() {
      armed = null;
      killed = false;
    },
  };
}
