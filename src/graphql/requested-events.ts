import type { FilterArguments } from "../event/event-filter.ts";

/** The arguments of eventReceived. */
export interface EventReceivedArguments extends FilterArguments {
  readonly after?: string | null | undefined;
}

/**
 * What eventReceived's `subscribe` resolves to: its coerced arguments, so that GraphQL's own execution finds the
 * field and coerces the variables, and event-subscription.ts opens the stream. It is never iterated.
 */
export class RequestedEvents implements AsyncIterable<never> {
  readonly args: EventReceivedArguments;

  constructor(args: EventReceivedArguments) {
    this.args = args;
  }

  [Symbol.asyncIterator](): AsyncIterator<never> {
    throw new TypeError("eventReceived is served by its group: open it with openSubscription");
  }
}
