import type { Client } from "urql";
import { WebhookRequestsDocument, type WebhookRequestsQuery } from "../generated/graphql.ts";
import { type Cell, createCell } from "./cell.ts";
import type { EventFeed } from "./event-feed.ts";
import { codeOf } from "./service-client.ts";

/** How many requests are listed. Mandrill posts about once a minute. */
const LISTED = 50;
/** A refused request brings no event that would tell of it, so the requests are looked at this often. Milliseconds. */
const LOOK = 4_000;
/** An event tells of a request: it is looked for at once, but no more often than this. Milliseconds. */
const REST = 1_000;

export type WebhookRequest = WebhookRequestsQuery["webhookRequests"][number];

/** The requests, newest first; null until known, "hidden" where this viewer may not see them. */
export type WebhookRequests = readonly WebhookRequest[] | "hidden" | null;

/**
 * @param mayAsk whether the service is to be asked now
 */
export function watchWebhook(
  client: Client,
  feed: EventFeed,
  mayAsk: () => boolean,
): Pick<Cell<WebhookRequests>, "get" | "subscribe"> {
  const requests = createCell<WebhookRequests>(null);
  let isLooking = false;
  let soon: ReturnType<typeof setTimeout> | undefined;
  const look = async (): Promise<void> => {
    if (isLooking || document.hidden || !mayAsk()) return;
    isLooking = true;
    const { data, error } = await client.query(WebhookRequestsDocument, { first: LISTED }).toPromise();
    isLooking = false;
    if (data !== undefined) {
      const before = requests.get();
      const isSame = Array.isArray(before) && before[0]?.id === data.webhookRequests[0]?.id;
      if (!isSame || before.length !== data.webhookRequests.length) requests.set(data.webhookRequests);
    } else if (error && codeOf(error) === "FORBIDDEN") {
      requests.set("hidden");
    }
  };
  void look();
  setInterval(look, LOOK);
  document.addEventListener("visibilitychange", look);
  feed.onArrival(() => {
    if (soon !== undefined) return;
    soon = setTimeout(() => {
      soon = undefined;
      void look();
    }, REST);
  });
  return requests;
}
