import { useCell } from "../state/cell.ts";
import { usePage } from "../state/page-state.ts";
import { ConnectionStatus } from "./connection-status.tsx";
import { EventSection } from "./event-section.tsx";
import { Facts } from "./facts.tsx";
import { HourPlot } from "./hour-plot.tsx";
import { LogIn } from "./log-in.tsx";
import { Notices } from "./notices.tsx";
import { TimelinePanel } from "./timeline-panel.tsx";
import { TypeChips } from "./type-chips.tsx";
import { WebhookPanel } from "./webhook-panel.tsx";

export function Page() {
  const { session, link } = usePage();
  const isLogInNeeded = useCell(session.isNeeded);
  const { picked } = useCell(link.view);
  return (
    <div className="page">
      <a className="skip" href="#events">
        Skip to the events
      </a>
      <header className="masthead">
        <h1>
          <svg viewBox="0 0 32 32" aria-hidden="true" className="logo">
            <path d="M3 17h6l3-9 6 17 4-8h7" />
          </svg>
          mandrill-live
        </h1>
        {isLogInNeeded || <ConnectionStatus />}
        {!isLogInNeeded && session.isLoggedIn() && (
          <button type="button" className="plain" onClick={() => void session.logOut()}>
            Log out
          </button>
        )}
      </header>
      {isLogInNeeded ? (
        <main className="narrow">
          <LogIn />
        </main>
      ) : (
        <main>
          <Notices />
          <section className="overview card" aria-label="Overview">
            <Facts />
            <HourPlot />
            <TypeChips />
          </section>
          <div className="columns">
            <EventSection />
            <div className="side">
              {picked !== null && <TimelinePanel key={`${picked.kind} ${picked.id}`} picked={picked} />}
              <WebhookPanel />
            </div>
          </div>
        </main>
      )}
    </div>
  );
}
