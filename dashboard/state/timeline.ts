import type { Client } from "urql";
import {
  MessageEventReceivedDocument,
  MessageEventsDocument,
  OneEventDocument,
  type TimelineEventFragment,
} from "../generated/graphql.ts";
import { type Cell, createCell } from "./cell.ts";
import { codeOf, sentenceOf } from "./service-client.ts";
import type { Picked } from "./view-link.ts";

export type TimelineState =
  | { readonly kind: "loading" }
  | { readonly kind: "failed"; readonly reason: string }
  /** Oldest first. `isWhole`: whether these are all the log holds. */
  | { readonly kind: "ready"; readonly events: readonly TimelineEventFragment[]; readonly isWhole: boolean };

/** What is known of the picked message, and what becomes known of it while somebody looks. */
export interface Timeline {
  readonly state: Pick<Cell<TimelineState>, "get" | "subscribe">;
  show(picked: Picked): void;
}

export function createTimeline(client: Client): Timeline {
  const state = createCell<TimelineState>({ kind: "loading" });
  let generation = 0;
  let stop = (): void => {};

  const follow = (messageId: string, after: string, mine: number): void => {
    stop = client.subscription(MessageEventReceivedDocument, { messageId, after }).subscribe(({ data, error }) => {
      if (generation !== mine) return;
      const event = data?.eventReceived;
      const now = state.get();
      if (event && now.kind === "ready" && !now.events.some(({ id }) => id === event.id)) {
        state.set({ ...now, events: [...now.events, event] });
      }
      const code = error && codeOf(error);
      if (code === "CURSOR_EXPIRED" || code === "CURSOR_UNKNOWN") load({ kind: "message", id: messageId });
    }).unsubscribe;
  };

  const loadMessage = async (messageId: string, mine: number): Promise<void> => {
    const { data, error } = await client.query(MessageEventsDocument, { messageId }).toPromise();
    if (generation !== mine) return;
    if (data === undefined) {
      state.set({ kind: "failed", reason: error ? sentenceOf(error) : "" });
      return;
    }
    const { nodes, pageInfo, head } = data.messageEvents;
    state.set({ kind: "ready", events: nodes, isWhole: !pageInfo.hasNextPage });
    if (!pageInfo.hasNextPage) follow(messageId, head, mine);
  };

  const loadEvent = async (id: string, mine: number): Promise<void> => {
    const { data, error } = await client.query(OneEventDocument, { id }).toPromise();
    if (generation !== mine) return;
    if (data === undefined) state.set({ kind: "failed", reason: error ? sentenceOf(error) : "" });
    else state.set({ kind: "ready", events: data.event ? [data.event] : [], isWhole: true });
  };

  const load = (picked: Picked): void => {
    generation += 1;
    stop();
    stop = () => {};
    if (picked === null) return;
    state.set({ kind: "loading" });
    void (picked.kind === "message" ? loadMessage(picked.id, generation) : loadEvent(picked.id, generation));
  };

  return { state, show: load };
}
