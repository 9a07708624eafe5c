import { type Plot, shown } from "./report.ts";

const WIDTH = 960;
const BAR = 14;
const GAP = 14;
const LEFT = 190;
const RIGHT = 70;
const TOP = 96;
/** Distinct to those who tell no red from green, and on white as on black. */
const COLOURS = ["#0072b2", "#e69f00", "#cc79a7", "#009e73"];

/** Horizontal bars on a logarithmic scale, as an SVG that needs nothing from elsewhere. */
export function barPlot({ title, subtitle, categories, series }: Plot): string {
  const values = series.flatMap((one) => one.values.filter((value) => value !== null));
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.ceil(Math.log10(Math.max(...values)));
  const x = (value: number): number => LEFT + ((Math.log10(value) - low) / (high - low)) * (WIDTH - LEFT - RIGHT);
  const groupHeight = series.length * BAR + GAP;
  const bottom = TOP + categories.length * groupHeight;
  const parts: string[] = [];
  for (let power = low; power <= high; power += 1) {
    const at = x(10 ** power).toFixed(1);
    parts.push(`<line x1="${at}" y1="${TOP - 6}" x2="${at}" y2="${bottom}" stroke="#8888" stroke-width="1"/>`);
    parts.push(text(at, bottom + 16, shown(10 ** power), "middle"));
  }
  categories.forEach((category, i) => {
    const y = TOP + i * groupHeight;
    parts.push(text(LEFT - 8, y + (groupHeight - GAP) / 2 + 4, category, "end"));
    series.forEach(({ values: own }, k) => {
      const value = own[i];
      if (value == null) return;
      const barY = y + k * BAR;
      const width = (x(value) - LEFT).toFixed(1);
      parts.push(
        `<rect x="${LEFT}" y="${barY}" width="${width}" height="${BAR - 2}" fill="${COLOURS[k % COLOURS.length]}"/>`,
      );
      parts.push(text(x(value) + 5, barY + BAR - 4, shown(value), "start"));
    });
  });
  const legend = series.map(({ name }, k) => {
    const at = LEFT + k * 170;
    return `<rect x="${at}" y="62" width="12" height="12" fill="${COLOURS[k % COLOURS.length]}"/>${text(at + 18, 72, name, "start")}`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${bottom + 30}" font-family="sans-serif" font-size="12">`,
    "<title>CPU a delivery, by stack and number of subscribers</title>",
    `<rect width="100%" height="100%" fill="#fff"/>`,
    `<text x="16" y="26" font-size="17" font-weight="bold" fill="#222">${escaped(title)}</text>`,
    `<text x="16" y="46" fill="#222">${escaped(subtitle)}</text>`,
    ...legend,
    ...parts,
    "</svg>",
    "",
  ].join("\n");
}

function text(x: number | string, y: number, content: string, anchor: "start" | "middle" | "end"): string {
  const at = typeof x === "number" ? x.toFixed(1) : x;
  return `<text x="${at}" y="${y.toFixed(1)}" text-anchor="${anchor}" fill="#222">${escaped(content)}</text>`;
}

function escaped(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
