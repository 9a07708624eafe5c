import type { EventType } from "../../event/event-type.ts";
import { queryBuilder } from "../builder.ts";
import { eventTypeEnum } from "./event-type.ts";

/** Times are milliseconds since the Unix epoch. */
export interface EventCount {
  readonly from: number;
  readonly to: number;
  readonly type: EventType;
  readonly count: number;
}

export const eventCountObject = queryBuilder.objectRef<EventCount>("EventCount").implement({
  description: "How many events of one type were received in one bucket of time.",
  fields: (t) => ({
    from: t.expose("from", { type: "DateTime", description: "Where the bucket begins (inclusive).", nullable: false }),
    to: t.expose("to", { type: "DateTime", description: "Where the bucket ends (exclusive).", nullable: false }),
    type: t.expose("type", { type: eventTypeEnum, description: "The kind of event.", nullable: false }),
    count: t.exposeInt("count", { description: "The number of events: at least 1.", nullable: false }),
  }),
});
