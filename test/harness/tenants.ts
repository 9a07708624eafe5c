import { type FieldNode, type OperationDefinitionNode, print } from "graphql";
import { EVENT_TYPES, type EventType } from "../../src/event/event-type.ts";
import { schema } from "../../src/graphql/schema.ts";
import { wholeEventDocument } from "../../src/graphql/whole-event.ts";
import { type RawEvent, rawEvent } from "./mandrill-post.ts";

/** Two tenants who have everything in common but their subaccounts, and what belongs to neither. */
export const OURS = "tenant-ours";
export const THEIRS = "tenant-theirs";
const OWNERS = [OURS, THEIRS, null] as const;

const SHARED_EMAIL = "shared@example.com";
const SHARED_MESSAGE = "message-shared";

/** The claim `mandrill_live`. */
export interface Claim {
  readonly subaccounts?: readonly string[];
  readonly tags?: readonly string[];
  readonly emails?: readonly string[];
}

/** The filter arguments of the schema. */
export interface Filter {
  readonly types?: readonly EventType[];
  readonly email?: string;
  readonly messageId?: string;
  readonly tag?: string;
  readonly subaccount?: string;
}

/** Events of every kind for each tenant, interleaved: with what both have, and with what one has alone. */
export const TENANTS_EVENTS: readonly RawEvent[] = EVENT_TYPES.flatMap((type, index) =>
  [0, 1].flatMap((round) =>
    OWNERS.map((owner, place) => {
      const name = owner ?? "nobody";
      const shares = round === 0;
      const msg = {
        email: shares ? SHARED_EMAIL : `${name}@example.com`,
        _id: shares ? SHARED_MESSAGE : `message-${name}`,
        tags: shares ? ["shared"] : ["shared", `tag-${name}`],
        subaccount: owner,
      };
      const seed = 1 + index * 100 + round * 10 + place;
      const raw = rawEvent(type, {}, seed);
      const entry = { ...(raw.reject as object | undefined), ...(raw.entry as object | undefined) };
      switch (type) {
        case "blacklist":
          return { ...raw, reject: { ...entry, email: msg.email, subaccount: owner } };
        case "whitelist":
          return { ...raw, entry: { ...entry, email: msg.email, subaccount: owner } };
        default:
          return { ...raw, _id: msg._id, msg: { ...(raw.msg as object | undefined), ...msg } };
      }
    }),
  ),
);

/** Whether a viewer with this claim may see an event: said here once more, in Mandrill's own terms. */
export function isVisible(raw: RawEvent, { subaccounts, tags, emails }: Claim): boolean {
  const isSync = raw.type !== undefined;
  const about = (isSync ? (raw.reject ?? raw.entry) : raw.msg) as RawEvent;
  const borne = isSync || raw.event === "inbound" ? [] : (about.tags as string[]);
  const allows = (list: readonly string[] | undefined, values: readonly unknown[]): boolean =>
    list === undefined || values.some((value) => list.includes(String(value)));
  return (
    allows(subaccounts, about.subaccount === null ? [] : [about.subaccount]) &&
    allows(tags, borne) &&
    allows(
      emails?.map((email) => email.toLowerCase()),
      [about.email],
    )
  );
}

/** Every filter alone, for what is ours, theirs, common and unknown, and some together. */
export const FILTERS: readonly Filter[] = [
  {},
  ...EVENT_TYPES.map((type) => ({ types: [type] })),
  { types: [] },
  ...[SHARED_EMAIL, "Shared@Example.com", `${OURS}@example.com`, `${THEIRS}@example.com`].map((email) => ({ email })),
  ...[SHARED_MESSAGE, `message-${OURS}`, `message-${THEIRS}`, "message-unknown"].map((messageId) => ({ messageId })),
  ...["shared", `tag-${OURS}`, `tag-${THEIRS}`, "tag-nobody"].map((tag) => ({ tag })),
  ...[OURS, THEIRS, "unknown"].map((subaccount) => ({ subaccount })),
  { subaccount: THEIRS, email: SHARED_EMAIL },
  { subaccount: THEIRS, messageId: SHARED_MESSAGE },
  { subaccount: OURS, tag: "shared" },
  { tag: "shared", types: ["open", "click"] },
  { email: SHARED_EMAIL, messageId: SHARED_MESSAGE, tag: "shared" },
  { tag: `tag-${THEIRS}`, email: SHARED_EMAIL },
];

/** Everything that the schema tells of an event. */
export const WHOLE_EVENT: string = (() => {
  const [operation] = wholeEventDocument(schema, true).definitions as [OperationDefinitionNode];
  const [field] = operation.selectionSet.selections as [FieldNode];
  if (field.selectionSet === undefined) throw new TypeError("eventReceived selects nothing");
  return print(field.selectionSet);
})();

/** The variables that a filter is sent as, by name and type. */
export const FILTER_VARIABLES =
  "$types: [EventType!], $email: String, $messageId: ID, $tag: String, $subaccount: String";
export const FILTER_ARGUMENTS =
  "types: $types, email: $email, messageId: $messageId, tag: $tag, subaccount: $subaccount";

/** A result without what differs from log to log whatever is in it: places, and when it was received. */
export function comparable<T>(result: T): T {
  return JSON.parse(
    JSON.stringify(result, (key, value: unknown) => {
      if (value === null) return value;
      if (/cursor$|^head$/i.test(key)) return "a place";
      return key === "receivedAt" || key === "from" || key === "to" ? fromTo(value) : value;
    }),
  ) as T;
}

/** `to` is an inbound event's recipients too. */
function fromTo(value: unknown): unknown {
  return typeof value === "string" && /^\d{4}-\d\d-\d\dT/.test(value) ? "a time" : value;
}
