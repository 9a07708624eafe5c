import { useCell } from "../state/cell.ts";
import type { Connection } from "../state/connection.ts";
import { usePage } from "../state/page-state.ts";
import { count, moment, span } from "./words.ts";

/** How the connection does, in words: what a loss means for the list, and what came of it. */
export function ConnectionStatus() {
  const page = usePage();
  const connection = useCell(page.connection.connection);
  const gap = useCell(page.feed.gap);
  return (
    <div className={`connection ${connection.state}`} data-state={connection.state}>
      <span className="lamp" aria-hidden="true" />
      <div role="status">
        <strong>{nameOf(connection)}</strong>
        <span className="detail">{detailOf(connection, gap !== null)}</span>
      </div>
      {connection.state === "lost" && <LostFor since={connection.since} />}
    </div>
  );
}

function nameOf(connection: Connection): string {
  switch (connection.state) {
    case "connecting":
      return "Connecting…";
    case "live":
      return "Live";
    case "lost":
      return connection.isFirst ? "Not connected" : "Connection lost";
  }
}

/** Apart from what is announced: a screen reader is not to hear every second. */
function LostFor({ since }: { readonly since: number }) {
  useCell(usePage().clock.seconds);
  return <span className="detail">{span(Date.now() - since)}</span>;
}

function detailOf(connection: Connection, isGap: boolean): string {
  switch (connection.state) {
    case "connecting":
      return "";
    case "lost":
      return connection.isFirst
        ? "Trying again. What comes meanwhile is not shown yet."
        : "Trying again. What comes meanwhile will be caught up.";
    case "live":
      return connection.back === null ? "Events appear as they arrive." : returnWords(connection.back, isGap);
  }
}

function returnWords(back: NonNullable<Extract<Connection, { state: "live" }>["back"]>, isGap: boolean): string {
  const since = `Reconnected at ${moment(back.at, Date.now())}`;
  if (isGap) return `${since}; the list was loaded anew.`;
  if (back.caughtUp === null) return `${since}, catching up…`;
  const away = `after ${span(Math.max(1_000, back.away))}`;
  if (back.caughtUp === 0) return `${since} ${away}: nothing came meanwhile, nothing is missing.`;
  return `${since} ${away}: caught up with ${count(back.caughtUp, "event")}, nothing is missing.`;
}
