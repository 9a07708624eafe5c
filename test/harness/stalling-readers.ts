import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { ReaderCommand, ReaderReport } from "./stalling-readers-process.ts";

/** Subscribers in a process of their own, for which the kernel keeps little, and which stop reading when told to. */
export interface StallingReaders extends AsyncDisposable {
  /** Resolves when none of them reads any more. */
  stop(): Promise<void>;
  /** Has them read on, and those that have lagged subscribe again where they were told to. */
  goOn(): Promise<void>;
  /** Resolves when each has got every event up to this number, once and in order; rejects where one has not. */
  reached(number: number): Promise<void>;
  /** How often one of them was told SUBSCRIBER_LAGGED so far. */
  lagged(): Promise<number>;
}

/**
 * Connects so many readers and resolves when all are subscribed.
 * @param query a subscription that selects `messageId`, which is `event-<number>`: without a hole
 * @param first the number of the event that comes next
 */
export async function startStallingReaders(
  port: number,
  count: number,
  query: string,
  first: number,
): Promise<StallingReaders> {
  const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
  const program = [process.execPath, path("stalling-readers-process.ts"), query, String(first)];
  const child: ChildProcess = spawn(
    process.env.PERL ?? "perl",
    [path("narrow-sockets.pl"), String(port), String(count), ...program],
    { stdio: ["ignore", "inherit", "inherit", "ipc"] },
  );
  const killWithTests = (): void => void child.kill("SIGKILL");
  process.once("exit", killWithTests);
  const ended = once(child, "exit").then(() => {
    process.off("exit", killWithTests);
    throw new Error("the stalling readers' process has ended");
  });
  ended.catch(() => {});

  const answer = async (): Promise<ReaderReport> => {
    const [report] = (await Promise.race([once(child, "message"), ended])) as [ReaderReport];
    if (report.problem !== null) throw new Error(report.problem);
    return report;
  };
  const ask = (command: ReaderCommand): Promise<ReaderReport> => {
    const answered = answer();
    child.send(command);
    return answered;
  };
  await answer();
  return {
    stop: async () => void (await ask({ act: "stop" })),
    goOn: async () => void (await ask({ act: "go on" })),
    reached: async (number) => void (await ask({ act: "reach", number })),
    lagged: async () => (await ask({ act: "report" })).lagged,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended.catch(() => {});
    },
  };
}
