import uPlot from "uplot";
import type { EventType } from "../generated/graphql.ts";
import { EVENT_TYPES, TYPE_NAMES } from "../state/event-types.ts";
import { type HourCounts, MINUTES } from "../state/hour-counts.ts";

/** Pixels. */
const HEIGHT = 132;
const AXIS_HEIGHT = 26;
const AXIS_WIDTH = 40;
/** How much of its minute a bar fills, and how wide it is at the most. */
const BAR = [0.72, 24] as const;
/** An empty plot still has an axis of so many events. */
const LEAST_TOP = 4;

/** The plot of an hour: one bar a minute, its types on top of each other. */
export interface StackedBars {
  draw(counts: HourCounts, shown: ReadonlySet<EventType>): void;
  /** Reads the colours anew: they are the style sheet's. */
  recolour(): void;
  remove(): void;
}

/**
 * @param onPoint is told which minute, from 0, somebody points at; null for none
 */
export function createStackedBars(element: HTMLElement, onPoint: (minute: number | null) => void): StackedBars {
  let style = getComputedStyle(element);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const bars = uPlot.paths.bars?.({ size: [...BAR], gap: 1, radius: 0.15 });
  if (bars === undefined) throw new Error("uPlot has no bars");
  const axis = (side: 2 | 3): uPlot.Axis => ({
    side: side === 2 ? 2 : 3,
    stroke: () => colour("--quiet"),
    font: "12px system-ui, sans-serif",
    grid: { show: side === 3, stroke: () => colour("--line"), width: 1 },
    ticks: { show: false },
    border: { show: false },
    size: side === 2 ? AXIS_HEIGHT : AXIS_WIDTH,
    gap: 6,
  });
  const widthOf = (): number => Math.max(120, Math.floor(element.clientWidth));
  const plot = new uPlot(
    {
      width: widthOf(),
      height: HEIGHT,
      padding: [8, 20, 0, 0],
      legend: { show: false },
      cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
      scales: {
        x: { time: true, range: (_plot, min, max) => [min - 30, max + 30] },
        y: { range: (_plot, _min, max) => [0, Math.max(LEAST_TOP, (max ?? 0) * 1.08)] },
      },
      axes: [
        { ...axis(2), space: 70, values: "{HH}:{mm}" },
        { ...axis(3), space: 36, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 1e6] },
      ],
      series: [
        {},
        ...EVENT_TYPES.map((type) => ({
          label: TYPE_NAMES[type],
          fill: () => colour(`--type-${type}`),
          width: 0,
          paths: bars,
          points: { show: false },
        })),
      ],
      hooks: { setCursor: [({ cursor }) => onPoint(cursor.idx ?? null)] },
    },
    stacked(undefined, new Set()),
    element,
  );
  const observer = new ResizeObserver(() => plot.setSize({ width: widthOf(), height: HEIGHT }));
  observer.observe(element);
  return {
    draw: (counts, shown) => plot.setData(stacked(counts, shown)),
    recolour() {
      style = getComputedStyle(element);
      plot.redraw(false);
    },
    remove() {
      observer.disconnect();
      plot.destroy();
    },
  };
}

/** A series' bar reaches from 0 to the sum of its own and all later ones, which are drawn over it. */
function stacked(counts: HourCounts | undefined, shown: ReadonlySet<EventType>): uPlot.AlignedData {
  const from = (counts?.from ?? 0) / 1_000;
  const x = Array.from({ length: MINUTES }, (_, minute) => from + minute * 60);
  let below = new Array<number>(MINUTES).fill(0);
  const series = EVENT_TYPES.toReversed().map((type) => {
    const own = counts === undefined || !shown.has(type) ? undefined : counts.byType[type];
    below = below.map((sum, minute) => sum + (own?.[minute] ?? 0));
    return own === undefined ? below.map(() => null) : below;
  });
  return [x, ...series.reverse()];
}
