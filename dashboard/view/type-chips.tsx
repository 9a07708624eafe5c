import type { EventType } from "../generated/graphql.ts";
import { useCell } from "../state/cell.ts";
import { EVENT_TYPES, TYPE_NAMES } from "../state/event-types.ts";
import { usePage } from "../state/page-state.ts";
import { figure } from "./words.ts";

/** Which types are shown: the filter of the list, and the legend of the plot. */
export function TypeChips() {
  const { link, hour } = usePage();
  const { filter } = useCell(link.view);
  const { byType } = useCell(hour.counts);
  const toggle = (type: EventType): void => {
    const chosen = new Set(filter.types);
    if (!chosen.delete(type)) chosen.add(type);
    link.filter({ types: EVENT_TYPES.filter((each) => chosen.has(each)) });
  };
  return (
    <fieldset className="types">
      <legend className="hidden">Types to show, with their events of the last hour</legend>
      {EVENT_TYPES.map((type) => {
        const total = byType[type].reduce((sum, number) => sum + number, 0);
        return (
          <button
            key={type}
            type="button"
            className="chip"
            data-type={type}
            data-empty={total === 0 || undefined}
            aria-pressed={filter.types.includes(type)}
            onClick={() => toggle(type)}
          >
            <span className="dot" aria-hidden="true" />
            {TYPE_NAMES[type]}
            <span className="total">{total === 0 ? "" : figure(total)}</span>
          </button>
        );
      })}
    </fieldset>
  );
}
