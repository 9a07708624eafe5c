import { type Cell, createCell } from "./cell.ts";

/** What the `Date` header's whole seconds and a request's way may make up: below, the clocks agree. Milliseconds. */
const TOLERANCE = 2_000;

/** The service's clock as this browser can know it: "12 s ago" must not depend on whether a desktop's clock is right. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** The same, told anew every second. */
  readonly seconds: Pick<Cell<number>, "get" | "subscribe">;
  /** Learns from the `Date` header of an answer. */
  learn(response: Response): void;
}

export function createClock(): Clock {
  let offset = 0;
  const now = (): number => Date.now() + offset;
  const seconds = createCell(now());
  setInterval(() => seconds.set(now()), 1_000);
  return {
    now,
    seconds,
    learn(response) {
      const told = Date.parse(response.headers.get("date") ?? "");
      if (Number.isNaN(told)) return;
      const found = told - Date.now();
      offset = Math.abs(found) > TOLERANCE ? found : 0;
    },
  };
}
