import { byteSize, duration, wholeNumber } from "./setting-kind.ts";
import { setting } from "./setting-row.ts";

/** What a timer of Node can wait for: 2^31 - 1 ms. */
const LONGEST_TIMER_SECONDS = 2_147_483;
const MILLION = 1_000_000;

/**
 * What the service does at the most for one client, so that nobody can take it from the others. Each default has its
 * reason beside it; whoever passes one is refused with LIMIT_EXCEEDED, and the setting's name beside the code, unless
 * the reason says otherwise.
 */
export const LIMIT_SETTINGS = {
  // GraphiQL's introspection query has 2,000 characters, everything selected of an event 3,000. Parsing is linear in it.
  MAX_DOCUMENT_LENGTH: setting("Characters of a GraphQL document.", wholeNumber(100, MILLION), "10000"),
  // Two documents that select everything. Some rules of validation take the square of it.
  MAX_TOKENS: setting("Tokens of a GraphQL document.", wholeNumber(10, MILLION), "1000"),
  // The schema is 6 deep; a fragment, inline or spread, counts too, since parser and executor recurse into it.
  MAX_DEPTH: setting("How deep a GraphQL document may be nested, fragments included.", wholeNumber(5, 1_000), "20"),
  // An alias makes one field be resolved again: a hundred aliased recentEvents would read the log a hundred times.
  MAX_ALIASES: setting("Aliases in a GraphQL operation.", wholeNumber(0, 10_000), "30"),
  // `@skip` on every field of a large document; more than that only costs.
  MAX_DIRECTIVES: setting("Directives in a GraphQL operation.", wholeNumber(0, 10_000), "50"),
  // Two pages of 500 events with everything selected; about 4 MB of JSON.
  MAX_COST: setting(
    "Values that the answer to a GraphQL operation may hold: its fields, times the largest number of events it asks for.",
    wholeNumber(100, 100 * MILLION),
    "100000",
  ),
  // What the schema promises; BAD_USER_INPUT beyond it.
  MAX_FIRST: setting("Largest `first`, and most `buckets`.", wholeNumber(1, 500), "500"),
  // A subscribe message holds a document and variables. A socket that sends a longer one is closed (1009).
  MAX_MESSAGE_BYTES: setting(
    "Largest WebSocket message, and largest body of a GraphQL request.",
    byteSize("1 KiB", "16 MiB"),
    "64 KiB",
  ),
  // A page has a handful. Each costs about 2 kB while it is idle.
  MAX_OPERATIONS: setting(
    "Operations that run at once on one socket, or on one event stream of many.",
    wholeNumber(1, MILLION),
    "100",
  ),
  // It is kept with its subscription and sent with every frame; clients use 36 characters. BAD_USER_INPUT beyond it.
  MAX_OPERATION_ID_LENGTH: setting(
    "Characters of an operation's id on a socket or an event stream of many.",
    wholeNumber(1, 1_000),
    "128",
  ),
  // A page begins some operations and then says a pong every 25 s; 100 operations may begin anew six times a minute.
  // A socket that goes beyond it is closed (4429).
  MAX_MESSAGES_PER_MINUTE: setting("Messages that one socket may send a minute.", wholeNumber(1, MILLION), "1200"),
  // A browser sends it in the handshake's wake. Later, the socket is closed (4408).
  CONNECTION_INIT_SECONDS: setting(
    "How long a socket may take to say `connection_init`.",
    duration("seconds", LONGEST_TIMER_SECONDS),
    "3",
  ),
  // Time for one look at a JWKS_URL that answers slowly. Later, the socket is closed (4408, and 1013 for want of the log).
  AUTHENTICATION_SECONDS: setting(
    "How long a socket may stay open without a valid token, or for want of an event log that has not answered yet.",
    duration("seconds", LONGEST_TIMER_SECONDS),
    "10",
  ),
  // All that a load balancer, or a bench, opens from this machine.
  MAX_SOCKETS_ON_LOOPBACK: setting(
    "Sockets and event streams open at once from this machine's own addresses.",
    wholeNumber(1, MILLION),
    "10000",
  ),
  // An office behind one address, with a few tabs each.
  MAX_SOCKETS_PER_ADDRESS: setting(
    "Sockets and event streams open at once from any other address (`TRUSTED_PROXIES`).",
    wholeNumber(1, MILLION),
    "100",
  ),
  // One static token may serve a whole site.
  MAX_SOCKETS_PER_TOKEN: setting(
    "Sockets open at once with one token, or with all tokens of one `sub`.",
    wholeNumber(1, MILLION),
    "10000",
  ),
  // More at once make a single-threaded store no faster. Nobody is refused: the others wait in line.
  MAX_REPLAYS: setting("Subscribers that read the event log at the same time.", wholeNumber(1, 10_000), "32"),
  // Slow headers: 15 s is ample for some hundred bytes. Answered with 408.
  HEADERS_SECONDS: setting("How long a request's head may take.", duration("seconds", LONGEST_TIMER_SECONDS), "15"),
  // Nothing for so long is a dead or a hostile peer. REQUEST_TIMEOUT.
  BODY_IDLE_SECONDS: setting(
    "How long nothing may come of a batch's body, and how long any other body may take.",
    duration("seconds", LONGEST_TIMER_SECONDS),
    "30",
  ),
  // A body of 32 MiB at 1 Mbit/s. A byte a second ends here. Answered with 408.
  REQUEST_SECONDS: setting(
    "How long a whole request may take to arrive.",
    duration("seconds", LONGEST_TIMER_SECONDS),
    "300",
  ),
} as const;
