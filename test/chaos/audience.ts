import type { FilterArguments } from "../../src/event/event-filter.ts";
import type { EventType } from "../../src/event/event-type.ts";
import { type Post, rawEvent, unsignedForm } from "../harness/mandrill-post.ts";

/** What an event of the load is filtered by. */
interface Traits {
  readonly type: EventType;
  readonly email: string;
  readonly tag: string;
  readonly subaccount: string;
}

/** A filter, and an opinion of its own on what it lets through: the service's is what is tested. */
export interface Audience {
  readonly name: string;
  readonly args: FilterArguments;
  wants(messageId: string): boolean;
}

const TYPES: readonly EventType[] = ["send", "delivered", "open", "open", "open", "click", "click", "soft_bounce"];
/** So many events in a row bear every type together with every address. */
const EVERY_KIND = 40;
const RARE = "rare";

/** Follows from the message id alone, which ends in a number or in {@link RARE}. */
function traitsOf(messageId: string): Traits {
  const last = messageId.slice(messageId.lastIndexOf("-") + 1);
  const number = last === RARE ? 0 : Number(last);
  return {
    type: last === RARE ? "unsub" : (TYPES[number % TYPES.length] as EventType),
    email: `Customer-${number % 5}@example.com`,
    tag: `store-${number % 3}`,
    subaccount: `account-${number % 2}`,
  };
}

function audience(name: string, args: FilterArguments, wants: (traits: Traits) => boolean): Audience {
  return { name, args, wants: (messageId) => wants(traitsOf(messageId)) };
}

export const AUDIENCES: readonly Audience[] = [
  audience("everything", {}, () => true),
  audience("opens and clicks", { types: ["open", "click"] }, ({ type }) => type === "open" || type === "click"),
  audience("one recipient", { email: "customer-1@example.com" }, ({ email }) => email.startsWith("Customer-1@")),
  audience("one tag", { tag: "store-2" }, ({ tag }) => tag === "store-2"),
  audience("one subaccount", { subaccount: "account-1" }, ({ subaccount }) => subaccount === "account-1"),
  audience(
    "one recipient's opens",
    { types: ["open"], email: "CUSTOMER-2@EXAMPLE.COM" },
    ({ type, email }) => type === "open" && email.startsWith("Customer-2@"),
  ),
  // Nothing of the load: its place moves on by pings alone, or is trimmed.
  audience("what never comes", { types: ["unsub"] }, ({ type }) => type === "unsub"),
];

/** The raw event that is posted with this message id. */
export function eventOf(messageId: string): ReturnType<typeof rawEvent> {
  const { type, email, tag, subaccount } = traitsOf(messageId);
  return rawEvent(type, { _id: messageId, msg: { _id: messageId, email, tags: [tag], subaccount } });
}

/** A batch of one event for each message id. */
export function batchOf(messageIds: readonly string[]): Post {
  return unsignedForm(messageIds.map(eventOf));
}

/** Message ids of a batch that has something for every audience, at its end something for the rarest. */
export function idsForEveryone(name: string): readonly string[] {
  return [...Array.from({ length: EVERY_KIND }, (_, number) => `${name}-${number}`), `${name}-${RARE}`];
}
