import { createContext, useContext } from "react";
import type { CombinedError } from "urql";
import { type Clock, createClock } from "./clock.ts";
import { type ConnectionWatch, watchConnection } from "./connection.ts";
import { createEventFeed, type EventFeed } from "./event-feed.ts";
import { type HourCountsWatch, watchHourCounts } from "./hour-counts.ts";
import { codeOf, createServiceClient, type ServiceClient } from "./service-client.ts";
import { createSession, type Session } from "./session.ts";
import { createTimeline, type Timeline } from "./timeline.ts";
import { createViewLink, type ViewLink } from "./view-link.ts";
import { watchWebhook } from "./webhook-watch.ts";

/** All that the page knows, outside of React: events come faster than components are to be drawn. */
export interface PageState {
  /** Where the service is, with a slash at its end. */
  readonly serviceUrl: string;
  readonly clock: Clock;
  readonly session: Session;
  readonly client: ServiceClient;
  readonly connection: ConnectionWatch;
  readonly link: ViewLink;
  readonly feed: EventFeed;
  readonly hour: HourCountsWatch;
  readonly timeline: Timeline;
  readonly webhook: ReturnType<typeof watchWebhook>;
}

export function createPageState(serviceUrl: string): PageState {
  const clock = createClock();
  const session = createSession(new URL("session", serviceUrl));
  const onError = (error: CombinedError): void => {
    if (codeOf(error) === "UNAUTHENTICATED") session.need();
  };
  const client = createServiceClient({ url: new URL("graphql", serviceUrl), clock, onError });
  const connection = watchConnection(client.socket);
  const link = createViewLink();
  const feed = createEventFeed(client.graphql);
  const mayAsk = (): boolean => !session.isNeeded.get();
  const hour = watchHourCounts({ client: client.graphql, feed, clock, mayAsk });
  const timeline = createTimeline(client.graphql);
  const webhook = watchWebhook(client.graphql, feed, mayAsk);

  let shown = link.view.get();
  const show = (isAnew: boolean): void => {
    const next = link.view.get();
    if (isAnew || next.filter !== shown.filter) {
      feed.show(next.filter);
      hour.show(next.filter);
    }
    if (isAnew || next.picked !== shown.picked) timeline.show(next.picked);
    shown = next;
  };
  link.view.subscribe(() => show(false));
  session.isNeeded.subscribe(() => {
    if (!session.isNeeded.get()) show(true);
  });
  connection.onReturn(() => {
    feed.whenCaughtUp((arrived) => {
      connection.caughtUp(arrived);
      hour.refresh();
    });
  });
  show(true);
  return { serviceUrl, clock, session, client, connection, link, feed, hour, timeline, webhook };
}

export const PageContext = createContext<PageState | null>(null);

export function usePage(): PageState {
  const page = useContext(PageContext);
  if (page === null) throw new Error("a component stands outside of the page");
  return page;
}
