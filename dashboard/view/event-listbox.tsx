import { useVirtualizer } from "@tanstack/react-virtual";
import {
  type KeyboardEvent,
  type MouseEvent,
  type RefObject,
  useCallback,
  useEffect,
  useRef,
  useState,
  useSyncExternalStore,
} from "react";
import type { EventRowFragment } from "../generated/graphql.ts";
import { useCell } from "../state/cell.ts";
import type { EventList } from "../state/event-list.ts";
import { usePage } from "../state/page-state.ts";
import type { Picked } from "../state/view-link.ts";
import { EventRow } from "./event-row.tsx";

/** As in events.css: two lines where there is no room for columns. Pixels. */
const ROW_HEIGHT = 40;
const TALL_ROW_HEIGHT = 60;
const NARROW = matchMedia("(max-width: 640px)");
/** Rows beside the visible ones that are drawn too. */
const OVERSCAN = 8;
/** How far from the end the next page is fetched. Rows. */
const NEAR_END = 20;
/** What counts as the list's top. Pixels. */
const TOP = 4;

interface EventListboxProps {
  readonly ref: RefObject<HTMLDivElement | null>;
  readonly list: EventList;
  /** Whether somebody reads further down than the newest. */
  readonly onAway: (isAway: boolean) => void;
}

/** A list box: the arrow keys go from row to row, Enter picks. Only rows that can be seen are in the document. */
export function EventListbox({ ref: box, list: { rows, hasOlder }, onAway }: EventListboxProps) {
  const { link, feed } = usePage();
  const { picked } = useCell(link.view);
  const [activeId, setActiveId] = useState<string>();
  const isNarrow = useSyncExternalStore(onWidth, () => NARROW.matches);
  const rowHeight = isNarrow ? TALL_ROW_HEIGHT : ROW_HEIGHT;
  const getItemKey = useCallback((index: number) => rows[index]?.id ?? index, [rows]);
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => box.current,
    estimateSize: () => rowHeight,
    overscan: OVERSCAN,
    getItemKey,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: the height is what is to be measured anew
  useEffect(() => virtualizer.measure(), [virtualizer, rowHeight]);

  const items = virtualizer.getVirtualItems();
  const lastSeen = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (hasOlder && lastSeen >= rows.length - NEAR_END) feed.loadOlder();
  }, [feed, hasOlder, lastSeen, rows.length]);

  const active = rows.findIndex(({ id }) => id === activeId);
  const pick = (row: EventRowFragment): void => {
    setActiveId(row.id);
    link.pick(pickedBy(row));
  };
  const pressed = useRef<{ readonly row: EventRowFragment; readonly y: number }>(null);
  const onPress = useCallback((row: EventRowFragment, y: number): void => {
    pressed.current = { row, y };
  }, []);
  // Where a row comes in between, the pointer goes down on one row and up on another without having moved, and the
  // browser gives the click to what holds both.
  const onClickBetweenRows = ({ target, currentTarget, clientY }: MouseEvent): void => {
    const isBetween = target === currentTarget || target === currentTarget.firstElementChild;
    const { row, y } = pressed.current ?? {};
    pressed.current = null;
    if (isBetween && row !== undefined && y !== undefined && Math.abs(clientY - y) < rowHeight / 2) pick(row);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const page = Math.max(1, Math.floor((box.current?.clientHeight ?? 0) / rowHeight) - 1);
    if (event.key === "Escape") link.pick(null);
    const target = targetOf(event.key, active, page, rows.length);
    const row = rows[target ?? active];
    if (row === undefined) return;
    if (target !== undefined) {
      setActiveId(row.id);
      virtualizer.scrollToIndex(target);
    } else if (event.key === "Enter" || event.key === " ") {
      pick(row);
    } else return;
    event.preventDefault();
  };
  return (
    <div
      ref={box}
      className="listbox"
      role="listbox"
      aria-label="Events, newest first"
      tabIndex={0}
      aria-activedescendant={items.some(({ index }) => index === active) ? rowId(activeId) : undefined}
      onKeyDown={onKeyDown}
      onPointerDownCapture={() => {
        pressed.current = null;
      }}
      onClick={onClickBetweenRows}
      onScroll={({ currentTarget }) => onAway(currentTarget.scrollTop > TOP)}
    >
      <div role="presentation" className="spacer" style={{ height: virtualizer.getTotalSize() }}>
        {items.map(({ index, key, start }) => {
          const row = rows[index];
          if (row === undefined) return null;
          return (
            <EventRow
              key={key}
              id={rowId(row.id)}
              row={row}
              top={start}
              place={index + 1}
              places={hasOlder ? -1 : rows.length}
              isActive={row.id === activeId}
              isPicked={isSame(picked, pickedBy(row))}
              onPress={onPress}
              onPick={pick}
            />
          );
        })}
      </div>
    </div>
  );
}

function onWidth(listener: () => void): () => void {
  NARROW.addEventListener("change", listener);
  return () => NARROW.removeEventListener("change", listener);
}

function rowId(id: string | undefined): string {
  return `row-${id}`;
}

function pickedBy({ id, messageId }: EventRowFragment): NonNullable<Picked> {
  return messageId === null ? { kind: "event", id } : { kind: "message", id: messageId };
}

function isSame(a: Picked, b: Picked): boolean {
  return a?.kind === b?.kind && a?.id === b?.id;
}

/** Where a key leads to; undefined for keys that lead nowhere. */
function targetOf(key: string, from: number, page: number, length: number): number | undefined {
  const last = length - 1;
  switch (key) {
    case "ArrowDown":
      return Math.min(last, from + 1);
    case "ArrowUp":
      return Math.max(0, from - 1);
    case "PageDown":
      return Math.min(last, from + page);
    case "PageUp":
      return Math.max(0, from - page);
    case "Home":
      return 0;
    case "End":
      return last;
    default:
      return undefined;
  }
}
