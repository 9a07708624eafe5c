import { EVENT_TYPES } from "../../event/event-type.ts";
import type { Random } from "./random.ts";

/** The kinds of event that the simulator posts, as Mandrill spells them. */
export const SIMULATED_TYPES = EVENT_TYPES.filter((type) => type !== "other");

export type SimulatedType = (typeof SIMULATED_TYPES)[number];

/** Something that happens to a message. */
export interface Step {
  readonly type: SimulatedType;
  /** How many other messages are sent between the step before and this one. */
  readonly after: number;
}

/** How often a message fares so: a transactional sender's account in good standing, with its mishaps made visible. */
const REJECTED = 0.02;
const HARD_BOUNCED = 0.03;
const SOFT_BOUNCED = 0.02;
const DEFERRED = 0.05;
const OPENED = 0.7;
const OPENED_AGAIN = 0.4;
const CLICKED = 0.35;
const ANSWERED = 0.02;
const REPORTED = 0.01;
const UNSUBSCRIBED = 0.02;
const ALLOWED = 0.005;

/** What becomes of one message, in the order in which it does. */
export function planLife(random: Random): readonly [Step, ...Step[]] {
  // On the denylist: never sent.
  if (random.chance(REJECTED)) return [{ type: "reject", after: 0 }];
  const soon = () => random.between(1, 4);
  const later = () => random.between(5, 40);
  const send: Step = { type: "send", after: 0 };
  if (random.chance(HARD_BOUNCED)) {
    return [send, { type: "hard_bounce", after: soon() }, { type: "blacklist", after: 0 }];
  }
  const deferrals: Step[] = [];
  const isBounced = random.chance(SOFT_BOUNCED);
  if (isBounced || random.chance(DEFERRED)) {
    for (let left = random.between(1, 2); left > 0; left -= 1) deferrals.push({ type: "deferral", after: soon() });
  }
  if (isBounced) return [send, ...deferrals, { type: "soft_bounce", after: later() }];
  const steps: [Step, ...Step[]] = [send, ...deferrals, { type: "delivered", after: soon() }];
  if (!random.chance(OPENED)) return steps;
  do {
    steps.push({ type: "open", after: later() });
    if (random.chance(CLICKED)) steps.push({ type: "click", after: soon() });
  } while (random.chance(OPENED_AGAIN));
  if (random.chance(ANSWERED)) steps.push({ type: "inbound", after: soon() });
  if (random.chance(ALLOWED)) steps.push({ type: "whitelist", after: later() });
  if (random.chance(REPORTED)) steps.push({ type: "spam", after: soon() });
  else if (random.chance(UNSUBSCRIBED)) steps.push({ type: "unsub", after: soon() });
  return steps;
}
