import { type Logger, pino } from "pino";

export type LogLine = Readonly<Record<string, unknown>> & { readonly level: number; readonly msg: string };

export interface RecordingLogger {
  readonly logger: Logger;
  /** What has been written. */
  readonly lines: LogLine[];
  /** Resolves when a line has been written that says `words`. */
  said(words: string): Promise<void>;
}

/** A real logger, and the lines that it has written. */
export function recordingLogger(): RecordingLogger {
  const lines: LogLine[] = [];
  const awaited = new Map<string, () => void>();
  const write = (json: string): void => {
    const line = JSON.parse(json) as LogLine;
    lines.push(line);
    for (const [words, resolve] of awaited) if (line.msg.includes(words)) resolve();
  };
  return {
    logger: pino({ level: "debug" }, { write }),
    lines,
    said: (words) =>
      new Promise((resolve) => {
        awaited.set(words, resolve);
        if (lines.some(({ msg }) => msg.includes(words))) resolve();
      }),
  };
}
