import { chmod, rename, rm, writeFile } from "node:fs/promises";
import { envFileText } from "../env-file.ts";

/** Only its owner reads it: it holds keys. */
const OWNER_ALONE = 0o600;

/**
 * Gives variables their values in an environment file, which is made where it is missing, and is its owner's alone
 * from then on. All its other lines stay as they are; of several lines that give one of these variables a value the
 * last is replaced, as it is the one that counts, and the others go.
 */
export async function writeVariables(file: string, values: Readonly<Record<string, string>>): Promise<void> {
  const text = withVariables(await envFileText(file), values);
  // Renamed into place: no reader sees half of it, and what was there is whole until then.
  const next = `${file}.${process.pid}.tmp`;
  try {
    await writeFile(next, text, { mode: OWNER_ALONE, flag: "wx" });
    await chmod(next, OWNER_ALONE);
    await rename(next, file);
  } finally {
    await rm(next, { force: true });
  }
}

/** The text of an environment file with these values; see {@link writeVariables}. */
export function withVariables(text: string, values: Readonly<Record<string, string>>): string {
  let lines = text === "" ? [] : text.replace(/\r?\n$/, "").split(/\r?\n/);
  for (const [name, value] of Object.entries(values)) {
    const assignment = new RegExp(`^\\s*(?:export\\s+)?${name}\\s*=`);
    const places = [...lines.keys()].filter((i) => assignment.test(lines[i] as string));
    const line = `${name}=${quoted(value)}`;
    const last = places.pop();
    if (last === undefined) lines.push(line);
    else lines[last] = line;
    lines = lines.filter((_, i) => !places.includes(i));
  }
  return `${lines.join("\n")}\n`;
}

/** As every reader of such a file takes it: in the quotes that the value has none of, where it needs any. */
function quoted(value: string): string {
  if (/^[\w./:,?&=@%+~-]*$/.test(value)) return value;
  const quote = ["'", '"', "`"].find((mark) => !value.includes(mark));
  if (quote === undefined || /[\r\n]/.test(value))
    throw new Error("A value with every kind of quote cannot be written.");
  return `${quote}${value}${quote}`;
}
