import type { Answer } from "./harness/report.ts";

/** What a question is given. */
export interface Bench {
  /** Less of everything: to see that it works and about where it stands, not to be quoted. */
  readonly quick: boolean;
  /** What message ids begin with in this run. */
  readonly prefix: string;
  /** Flags of Node for what is measured, such as those of its profiler. */
  readonly nodeFlags: readonly string[];
  /** Tells a person what is being done. */
  readonly say: (text: string) => void;
  /** Ends this when the question has been answered, or has failed; the latest first. */
  readonly use: <T extends { stop(): Promise<void> }>(started: T) => T;
}

/** One question that the bench answers. */
export interface Question {
  readonly name: string;
  readonly asks: string;
  readonly answer: (bench: Bench) => Promise<Answer>;
}
