import type { IncomingMessage } from "node:http";
import type { GraphQLError } from "graphql";
import type { Plugin, YogaInitialContext } from "graphql-yoga";
import type { Stays } from "../access/stay.ts";
import type { Viewer } from "../access/viewer.ts";
import type { ServiceError } from "../error.ts";

export interface StayOptions {
  readonly stays: Stays;
  readonly viewerFor: (request: IncomingMessage) => Promise<Viewer>;
  readonly presentError: (error: unknown) => GraphQLError;
}

/** Withholds the answer to a query that took longer than its viewer's token held. */
export function yogaStay({ stays, viewerFor, presentError }: StayOptions): Plugin {
  return {
    onExecute: () => ({
      async onExecuteDone({ args, setResult }) {
        const { req } = args.contextValue as YogaInitialContext & { readonly req: IncomingMessage };
        let over: ServiceError | undefined;
        const stay = stays.begin(await viewerFor(req), (error) => {
          over = error;
        });
        if (!stay.holds()) setResult({ errors: [presentError(over)] });
        stay.leave();
      },
    }),
  };
}
