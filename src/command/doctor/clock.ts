import { type Finding, fail, ok } from "./finding.ts";

/** Milliseconds: more than a network and a header of whole seconds account for, less than any token's life. */
const TOLERANCE = 5_000;

/** @param theirs, ours milliseconds since the Unix epoch, of one moment */
export function judgeClock(whose: string, theirs: number, ours: number): Finding {
  const what = "clock";
  const seconds = (Math.abs(ours - theirs) / 1_000).toFixed(1);
  if (Math.abs(ours - theirs) <= TOLERANCE) return ok(what, `Within ${seconds} s of that of ${whose}`);
  return fail(
    what,
    `It is ${seconds} s ${ours > theirs ? "ahead of" : "behind"} that of ${whose}`,
    "Keep both on time (NTP): tokens end by this clock, and events are told the time of the log's",
  );
}
