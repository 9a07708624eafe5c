import { useCallback, useEffect, useRef, useState } from "react";
import { useCell } from "../state/cell.ts";
import { usePage } from "../state/page-state.ts";
import { isFiltered, NO_FILTER } from "../state/view-link.ts";
import { EventListbox } from "./event-listbox.tsx";
import { FilterFields } from "./filter-fields.tsx";
import { FirstSteps } from "./first-steps.tsx";
import { count } from "./words.ts";

/** The events as they arrive, newest first. */
export function EventSection() {
  const { feed, link } = usePage();
  const list = useCell(feed.list);
  const state = useCell(feed.state);
  const { filter } = useCell(link.view);
  const [isPaused, setPaused] = useState(false);
  const [isAway, setAway] = useState(false);
  const box = useRef<HTMLDivElement>(null);

  const pause = (paused: boolean): void => {
    setPaused(paused);
    feed.hold(paused || isAway);
  };
  const moveAway = useCallback(
    (away: boolean) => {
      setAway(away);
      feed.hold(away || isPaused);
    },
    [feed, isPaused],
  );
  const showHeld = (): void => {
    setPaused(false);
    setAway(false);
    feed.hold(false);
    box.current?.scrollTo({ top: 0 });
    box.current?.focus();
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: another filter is another list, read from its top
  useEffect(() => {
    box.current?.scrollTo({ top: 0 });
  }, [filter]);
  const isEmpty = state.kind === "ready" && list.rows.length === 0;
  return (
    <section className="events card" id="events" aria-labelledby="events-title" tabIndex={-1}>
      <div className="toolbar">
        <h2 id="events-title">Events</h2>
        <FilterFields />
        <button type="button" aria-pressed={isPaused} onClick={() => pause(!isPaused)}>
          {isPaused ? "Go on" : "Pause"}
        </button>
      </div>
      {state.kind === "failed" && (
        <p className="notice bad" role="alert">
          {state.reason} {state.retrying ? "Trying again…" : ""}
          {!state.retrying && (
            <button type="button" className="plain" onClick={() => feed.show(filter)}>
              Try again
            </button>
          )}
        </p>
      )}
      {state.kind === "loading" && list.rows.length === 0 && <p className="empty">Loading…</p>}
      {isEmpty && isFiltered(filter) && (
        <div className="empty">
          <p>No event matches these filters yet. A new one will appear here by itself.</p>
          <button type="button" onClick={() => link.filter(NO_FILTER)}>
            Clear filters
          </button>
        </div>
      )}
      {isEmpty && !isFiltered(filter) && <FirstSteps />}
      {list.rows.length > 0 && (
        <div className="list" data-paused={isPaused || undefined}>
          {isPaused && list.held.length === 0 && <p className="nothing-new">Paused. Nothing new yet.</p>}
          {list.held.length > 0 && (
            <button type="button" className="main news" onClick={showHeld}>
              {count(list.held.length, "new event")}
            </button>
          )}
          <EventListbox ref={box} list={list} onAway={moveAway} />
        </div>
      )}
    </section>
  );
}
