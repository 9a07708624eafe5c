/** `name{label="value"}` to value. */
export type Samples = ReadonlyMap<string, number>;

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const LABEL = `[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\["\\\\n])*"`;
const SAMPLE = new RegExp(`^(?<series>(?<name>${NAME})(?:\\{(?:${LABEL},)*(?:${LABEL})?\\})?) (?<value>\\S+)$`);
const COMMENT = new RegExp(`^# (?:HELP (?<helped>${NAME}) .+|TYPE (?<typed>${NAME}) (?:counter|gauge|histogram))$`);

/** What a text in Prometheus' format (version 0.0.4) says. Throws where it is none. */
export function parseMetrics(text: string): Samples {
  if (!text.endsWith("\n")) throw new Error("the last line has no end");
  const samples = new Map<string, number>();
  const typed = new Set<string>();
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const comment = COMMENT.exec(line)?.groups;
    if (comment !== undefined) {
      if (comment.typed !== undefined) typed.add(comment.typed);
      continue;
    }
    const { series, name = "", value } = SAMPLE.exec(line)?.groups ?? {};
    if (series === undefined) throw new Error(`no sample: ${line}`);
    if (samples.has(series)) throw new Error(`told twice: ${line}`);
    if (![name, name.replace(/_(?:bucket|sum|count)$/, "")].some((known) => typed.has(known))) {
      throw new Error(`of no type: ${line}`);
    }
    const number = Number(value?.replace("+Inf", "Infinity"));
    // A mean of nothing; Prometheus reads it in any case.
    if (Number.isNaN(number) && value?.toLowerCase() !== "nan") throw new Error(`no number: ${line}`);
    samples.set(series, number);
  }
  return samples;
}
