import type { WriteStream } from "node:tty";
import { MultiBar } from "cli-progress";

/** How far a command is, for the person who waits: a bar on a terminal, and a line now and then elsewhere. */
export interface Progress {
  update(done: number): void;
  /** A line of its own, above the bar. */
  say(line: string): void;
  /** Leaves the bar as it is; to be called once, at the end. */
  end(): void;
}

export interface ProgressOptions {
  /** Standard error: standard output is for what the command is there to give. */
  readonly stream: NodeJS.WritableStream & { readonly isTTY?: boolean | undefined };
  /** What is counted, in the plural. */
  readonly what: string;
  /** Infinity where nobody knows the end. */
  readonly total: number;
  /** Milliseconds between two lines where there is no terminal. @default 5000 */
  readonly lineEveryMs?: number | undefined;
}

export function createProgress(options: ProgressOptions): Progress {
  return options.stream.isTTY === true ? bar(options) : lines(options);
}

function bar({ stream, what, total }: ProgressOptions): Progress {
  const isEndless = !Number.isFinite(total);
  const bars = new MultiBar({
    stream: stream as WriteStream,
    format: isEndless
      ? `  {value} ${what} | {duration_formatted}`
      : `  {bar} {value}/{total} ${what} | {duration_formatted}, ETA {eta_formatted}`,
    barCompleteChar: "█",
    barIncompleteChar: "░",
    // The command stops by itself, in its own order.
    gracefulExit: false,
  });
  const counter = bars.create(isEndless ? Number.MAX_SAFE_INTEGER : total, 0);
  return {
    update: (done) => counter.update(done),
    say: (line) => bars.log(`${line}\n`),
    end: () => bars.stop(),
  };
}

function lines({ stream, what, total, lineEveryMs = 5_000 }: ProgressOptions): Progress {
  const of = Number.isFinite(total) ? ` of ${total}` : "";
  let last = Date.now();
  return {
    update(done) {
      if (Date.now() - last < lineEveryMs) return;
      last = Date.now();
      stream.write(`${done}${of} ${what}\n`);
    },
    say: (line) => stream.write(`${line}\n`),
    end() {},
  };
}
