import { planLife, type SimulatedType, type Step } from "./life-plan.ts";
import { Message, type RawEvent } from "./message.ts";
import type { Random } from "./random.ts";

/** What happens at a sender's, one event after the other: many messages at once, each living its life in order. */
export interface EventStream {
  /** The next event of a kind that is wanted, as of `occurredAt` (milliseconds since the Unix epoch). */
  next(occurredAt: number): RawEvent;
}

interface Life {
  readonly message: Message;
  readonly steps: readonly Step[];
  /** Of {@link steps}, the one that comes next. */
  place: number;
}

/**
 * With the same randomness and times the same events. `types` are the kinds that are let out; the lives go on behind
 * them all the same.
 */
export function createEventStream(random: Random, types: ReadonlySet<SimulatedType>): EventStream {
  /** How many messages have been sent: what the steps of a life are measured in. */
  let sent = 0;
  const due = new Map<number, Life[]>();
  let now: Life[] = [];

  function schedule(life: Life, at: number): void {
    const there = due.get(at);
    if (there === undefined) due.set(at, [life]);
    else there.push(life);
  }

  /** Sends another message, and looks what else has come due meanwhile. */
  function turn(): void {
    now = [...(due.get(sent) ?? []), { message: new Message(random), steps: planLife(random), place: 0 }];
    due.delete(sent);
    sent += 1;
  }

  return {
    next(occurredAt) {
      for (;;) {
        const life = now.shift();
        if (life === undefined) {
          turn();
          continue;
        }
        const { type } = life.steps[life.place] as Step;
        const event = life.message.happens(type, Math.floor(occurredAt / 1_000));
        life.place += 1;
        const following = life.steps[life.place];
        if (following !== undefined && following.after === 0) now.unshift(life);
        else if (following !== undefined) schedule(life, sent + following.after - 1);
        if (types.has(type)) return event;
      }
    },
  };
}
