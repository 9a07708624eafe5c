import { setTimeout as pause } from "node:timers/promises";
import { batchOf } from "./audience.ts";
import type { History } from "./history.ts";
import type { Acknowledgement } from "./oracle.ts";
import type { Random } from "./random.ts";

const LARGEST_BATCH = 20;
/** Between two posts, and before the same again. Milliseconds. */
const LONGEST_PAUSE = 40;
/** Mandrill waits for an answer for some seconds; here some are lost to impatience. Milliseconds. */
const PATIENCE: readonly number[] = [300, 1_500, 9_000, 9_000, 9_000];
/** Batches that may be posted again. */
const REMEMBERED = 30;
/**
 * Events that may be acknowledged and not yet recorded: the recorder, whose connection may come back later than those of
 * the instances, is not to be trimmed past.
 */
const MOST_UNRECORDED = 50;
/** `/mandrill` answers within 5 s, but for what its instance is held or stalled meanwhile. Milliseconds. */
const LATEST_ANSWER = 8_500;

/** Posts as Mandrill does: a batch at a time, and the same again on anything but 200, wherever it goes. */
export interface Mandrill {
  readonly acknowledged: readonly Acknowledgement[];
  /** Events that were appended, by what was answered. */
  readonly appended: number;
  /** What was answered, how often; "none" where no answer came. */
  readonly answers: ReadonlyMap<string, number>;
  /** Answers that are never right. */
  readonly complaints: readonly string[];
  /** Posts a batch of old ten times at once. Resolves when each has been answered, or was not. */
  repeat(): Promise<void>;
  /** Posts a batch until it is acknowledged. */
  postUntilTaken(messageIds: readonly string[]): Promise<void>;
  /** Resolves when the batches under way have been acknowledged too. */
  stop(): Promise<void>;
  /** Posts nothing any more, the batches under way neither. */
  giveUp(): void;
}

export interface MandrillOptions {
  /** Webhooks that are posted to at the same time. */
  readonly webhooks: number;
  /** Base URL of an instance, another one each time. */
  readonly url: () => string;
  readonly random: Random;
  readonly history: Pick<History, "eras" | "announce" | "keepUp">;
}

export function startMandrill({ webhooks, url, random, history }: MandrillOptions): Mandrill {
  const acknowledged: Acknowledgement[] = [];
  const answers = new Map<string, number>();
  const complaints: string[] = [];
  const remembered: (readonly string[])[] = [];
  let appended = 0;
  let unrecorded = 0;
  let stopped = false;
  let givenUp = false;

  /** Whether it was taken. */
  async function post(messageIds: readonly string[], patience: number): Promise<boolean> {
    const from = history.eras.all.length - 1;
    const begun = performance.now();
    history.announce(messageIds);
    const status = await fetch(`${url()}/mandrill`, {
      method: "POST",
      ...batchOf(messageIds),
      signal: AbortSignal.timeout(patience),
    }).then(
      async (response) => {
        const body = await response.text();
        if (response.status === 200) appended += JSON.parse(body).appended;
        return response.status;
      },
      () => null,
    );
    const took = performance.now() - begun;
    const answer = status === null ? "none" : `${status}`;
    answers.set(answer, (answers.get(answer) ?? 0) + 1);
    if (status !== null && status !== 200 && status !== 503) complaints.push(`a batch was answered ${status}`);
    if (took > LATEST_ANSWER) complaints.push(`an answer took ${Math.round(took)} ms`);
    if (status !== 200) return false;
    const to = history.eras.index;
    unrecorded += messageIds.length;
    acknowledged.push(...messageIds.map((messageId) => ({ messageId, from, to })));
    return true;
  }

  async function postUntilTaken(messageIds: readonly string[]): Promise<void> {
    while (!givenUp && !(await post(messageIds, random.oneOf(PATIENCE)))) {
      await pause(random.between(10, LONGEST_PAUSE));
    }
  }

  async function publish(name: string): Promise<void> {
    for (let number = 0; !stopped; ) {
      const size = random.between(1, LARGEST_BATCH);
      const messageIds = Array.from({ length: size }, (_, i) => `${name}-${number + i}`);
      number += size;
      remembered.push(messageIds);
      if (remembered.length > REMEMBERED) remembered.shift();
      await postUntilTaken(messageIds);
      if (unrecorded > MOST_UNRECORDED) {
        await history.keepUp();
        unrecorded = 0;
      }
      await pause(random.below(LONGEST_PAUSE));
    }
  }

  const publishing = Promise.all(Array.from({ length: webhooks }, (_, i) => publish(`webhook${i}`)));
  publishing.catch(() => {});
  return {
    acknowledged,
    get appended() {
      return appended;
    },
    answers,
    complaints,
    async repeat() {
      const batch = random.oneOf(remembered);
      await Promise.all(Array.from({ length: 10 }, () => post(batch, LATEST_ANSWER)));
    },
    postUntilTaken,
    async stop() {
      stopped = true;
      await publishing;
    },
    giveUp() {
      stopped = true;
      givenUp = true;
    },
  };
}
