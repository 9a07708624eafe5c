const RED = 31;
const YELLOW = 33;
const DIM = 2;

const COLOUR: Readonly<Record<string, number>> = { fatal: RED, error: RED, warn: YELLOW, debug: DIM, trace: DIM };

/** One JSON line of the logger as a person reads it in a terminal: time of day, level, sentence, fields, stack. */
export function readableLine(line: string): string {
  const { level, time, msg, err, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const label = String(level).padEnd(5);
  const colour = COLOUR[String(level)];
  const parts = [
    paint(String(time).slice(11, 23), DIM),
    colour === undefined ? label : paint(label, colour),
    ...(msg === undefined ? [] : [printable(String(msg))]),
    ...Object.entries(fields).map(([name, value]) => paint(`${name}=`, DIM) + printable(shown(value))),
  ];
  return `${parts.join(" ")}\n${stackOf(err)}`;
}

function paint(text: string, colour: number): string {
  return `\u001b[${colour}m${text}\u001b[0m`;
}

function shown(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function stackOf(err: unknown): string {
  if (err === undefined) return "";
  const stack = (err as { stack?: unknown } | null)?.stack;
  const lines = typeof stack === "string" ? stack.split("\n") : [shown(err)];
  return lines.map((line) => `    ${printable(line)}\n`).join("");
}

/** Control characters spelled out: text from outside must neither steer the terminal nor begin a line of its own. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, (control) => `\\x${control.charCodeAt(0).toString(16).padStart(2, "0")}`);
}
