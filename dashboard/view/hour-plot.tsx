import { useEffect, useMemo, useRef, useState } from "react";
import type { EventType } from "../generated/graphql.ts";
import { useCell } from "../state/cell.ts";
import { EVENT_TYPES, TYPE_NAMES } from "../state/event-types.ts";
import type { HourCounts } from "../state/hour-counts.ts";
import { usePage } from "../state/page-state.ts";
import { createStackedBars, type StackedBars } from "./stacked-bars.ts";
import { figure } from "./words.ts";

/** Events of the last hour, minute by minute. The filters below are its legend. */
export function HourPlot() {
  const { hour, link } = usePage();
  const counts = useCell(hour.counts);
  const { filter } = useCell(link.view);
  const shown = useMemo(() => new Set(filter.types.length > 0 ? filter.types : EVENT_TYPES), [filter.types]);
  const element = useRef<HTMLDivElement>(null);
  const plot = useRef<StackedBars>(null);
  const [minute, setMinute] = useState<number | null>(null);

  useEffect(() => {
    if (element.current === null) return;
    const bars = createStackedBars(element.current, setMinute);
    plot.current = bars;
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", bars.recolour);
    return () => {
      dark.removeEventListener("change", bars.recolour);
      bars.remove();
    };
  }, []);
  useEffect(() => plot.current?.draw(counts, shown), [counts, shown]);

  return (
    <figure className="plot">
      <div
        ref={element}
        className="canvas"
        role="img"
        aria-label={`Events of the last hour: ${summary(counts, shown)}`}
      />
      <figcaption aria-hidden="true">
        {minute === null ? "Events a minute, the last hour" : minuteWords(counts, shown, minute)}
      </figcaption>
    </figure>
  );
}

function summary({ byType }: HourCounts, shown: ReadonlySet<EventType>): string {
  return listed(shown, (type) => byType[type].reduce((sum, number) => sum + number, 0));
}

function minuteWords({ from, byType }: HourCounts, shown: ReadonlySet<EventType>, minute: number): string {
  const time = new Date(from + minute * 60_000).toTimeString().slice(0, 5);
  return `${time}: ${listed(shown, (type) => byType[type][minute] ?? 0)}`;
}

function listed(shown: ReadonlySet<EventType>, countOf: (type: EventType) => number): string {
  const parts = [...shown].flatMap((type) => {
    const number = countOf(type);
    return number === 0 ? [] : [`${figure(number)} ${TYPE_NAMES[type]}`];
  });
  return parts.join(", ") || "none";
}
