/** Rows under headings, as people read them. */
export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** What must be known to read it, a sentence each. */
  readonly notes?: readonly string[] | undefined;
}

/** A figure that is to be reached. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly sense: "at most" | "at least";
  readonly goal: number;
  readonly unit: string;
}

/** A plot of what was measured by category. */
export interface Plot {
  readonly title: string;
  /** What stands below the title. */
  readonly subtitle: string;
  readonly categories: readonly string[];
  /** What is compared; values by category, null where it was not measured. */
  readonly series: readonly { readonly name: string; readonly values: readonly (number | null)[] }[];
}

/** What a question has found. */
export interface Answer {
  readonly tables: readonly Table[];
  readonly figures: readonly Figure[];
  readonly plot?: Plot | undefined;
  /** For whoever wants to draw or compare it; JSON. */
  readonly data?: unknown;
}

function isReached({ value, sense, goal }: Figure): boolean {
  return sense === "at most" ? value <= goal : value >= goal;
}

/** A number with three significant digits, or none behind the point where it is large. */
export function shown(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en");
  return String(Number(value.toPrecision(3)));
}

export function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

export function figuresTable(figures: readonly Figure[]): Table {
  return {
    title: "Figures to reach",
    columns: ["figure", "measured", "to reach", ""],
    rows: figures.map((figure) => [
      figure.name,
      `${shown(figure.value)}${figure.unit}`,
      `${figure.sense} ${shown(figure.goal)}${figure.unit}`,
      isReached(figure) ? "reached" : "missed",
    ]),
  };
}

/** A table for a terminal. */
export function plainTable({ title, columns, rows, notes = [] }: Table): string {
  const widths = columns.map((column, i) => Math.max(column.length, ...rows.map((row) => (row[i] ?? "").length)));
  const line = (cells: readonly string[]): string =>
    `  ${widths.map((width, i) => (i === 0 ? (cells[i] ?? "").padEnd(width) : (cells[i] ?? "").padStart(width))).join("  ")}`;
  const rule = `  ${widths.map((width) => "-".repeat(width)).join("  ")}`;
  return ["", title, line(columns), rule, ...rows.map(line), ...notes.map((note) => `  ${note}`), ""].join("\n");
}

/** The same for a Markdown page. */
export function markdownTable({ title, columns, rows, notes = [] }: Table): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [
    `**${title}**`,
    "",
    line(columns),
    line(columns.map((_, i) => (i === 0 ? "---" : "---:"))),
    ...rows.map(line),
    "",
    ...notes.flatMap((note) => [note, ""]),
  ].join("\n");
}
