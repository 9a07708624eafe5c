import { usePage } from "../state/page-state.ts";

/** What somebody sees who has just started the service: how to see it work, and how Mandrill is connected. */
export function FirstSteps() {
  const { serviceUrl } = usePage();
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <section className="first-steps" tabIndex={0} aria-label="First steps">
      <h3>Nothing has arrived yet</h3>
      <p>Every event will appear here the moment Mandrill reports it. To see it work, play Mandrill in a terminal:</p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
      <pre tabIndex={0}>{curl(`${serviceUrl}mandrill/`)}</pre>
      <p className="aside">
        Where webhook keys are set this is refused, as it should be: it bears no signature. The list of webhook requests
        says so.
      </p>
      <h3>Connect Mandrill</h3>
      <ol>
        <li>
          In Mandrill, open <em>Settings → Webhooks</em> and add one with the public address of this service, ending in{" "}
          <code>/mandrill</code>. Choose the events that you want to see.
        </li>
        <li>
          Mandrill then shows the webhook’s key. Start the service with <code>MANDRILL_WEBHOOK_KEYS</code> set to it,
          and <code>MANDRILL_WEBHOOK_URLS</code> to the address exactly as you typed it.
        </li>
        <li>
          Press <em>Send Test</em> there. If a signature fails, the list of webhook requests tells why.
        </li>
      </ol>
    </section>
  );
}

function curl(url: string): string {
  return `curl ${url} -H 'Content-Type: application/json' -d '[
  {"event": "open", "msg": {"_id": "c4f1a0",
   "email": "ada@example.com", "subject": "Welcome"}},
  {"event": "click", "url": "https://example.com/start",
   "msg": {"_id": "c4f1a0", "email": "ada@example.com"}}
]'`;
}
