import type { ClientOptions } from "graphql-ws/client";

export interface Patience {
  /** Resolves when attempt number `attempt`, from 0, is due. */
  readonly wait: (attempt: number) => Promise<void>;
  /** Whether nobody wants the answer any more: then none comes. */
  readonly isOver: () => boolean;
  readonly onError: (error: unknown) => void;
}

/**
 * Asks `url` until it answers: graphql-ws would wait for ever for one that throws, and leave its rejection unhandled.
 */
export function createPatientUrl(
  url: Exclude<ClientOptions["url"], string>,
  { wait, isOver, onError }: Patience,
): () => Promise<string> {
  return async () => {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await url();
      } catch (error) {
        onError(error);
        await wait(attempt);
        if (isOver()) return new Promise(() => {});
      }
    }
  };
}
