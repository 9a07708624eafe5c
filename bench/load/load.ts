import { setTimeout as sleep } from "node:timers/promises";
import { Arrivals } from "./arrivals.ts";
import type {
  Command,
  ConnectCommand,
  LeaveCommand,
  PostCommand,
  Posted,
  ProbeCommand,
  Probed,
  ReturnCommand,
  Returned,
  Target,
} from "./command.ts";
import { type Audition, Listener } from "./listener.ts";
import { Poster } from "./poster.ts";
import { createRequestBody, type Recipients, type RequestBody } from "./request-body.ts";

/** Handshakes under way at once: less than any server's backlog. */
const CONNECTING = 100;
/** A server that delivers nothing for so long has lost something. Milliseconds. */
const PATIENCE = 15_000;
/** How often a probe is posted while not everyone has got one. Milliseconds. */
const PROBE_INTERVAL = 100;
const PROBES = 200;
const POLL_INTERVAL = 5;
/** A client that could not connect tries again after so long. Milliseconds. */
const RETRY_INTERVAL = 250;
const RETRIES = 40;

const NO_RECIPIENTS: Recipients = { count: 1, samePerPost: true };

const ONE_TO_ALL: PostCommand = {
  name: "post",
  audience: "everyone",
  recipients: NO_RECIPIENTS,
  eventsPerPost: 1,
  inFlight: 1,
  until: "delivered",
  forMs: 0,
};

/** Listeners that have gone and are to come back, and what they are missing. */
interface Left {
  readonly count: number;
  readonly after: string;
  readonly arrivals: Arrivals;
}

/** Listens to one stack and posts to it; does one command after the other. */
export class Load {
  #target: Target | null = null;
  #prefix = "";
  #audition: Audition | null = null;
  #listeners: Listener[] = [];
  readonly #posters: Poster[] = [];
  readonly #bodies = new Map<string, RequestBody[]>();
  #nextEvent = 1;
  #left: Left | null = null;
  #failure: string | null = null;

  async do(command: Command): Promise<unknown> {
    const result = await this.#dispatch(command);
    if (this.#failure !== null) throw new Error(this.#failure);
    return result;
  }

  #dispatch(command: Command): Promise<unknown> {
    switch (command.name) {
      case "connect":
        return this.#connect(command);
      case "probe":
        return this.#probe(command);
      case "post":
        return this.#post(command);
      case "leave":
        return this.#leave(command);
      case "return":
        return this.#return(command);
      case "drop":
        this.#drop();
        return Promise.resolve(null);
    }
  }

  async #connect({ target, prefix, listeners, payloads }: ConnectCommand): Promise<void> {
    this.#target = target;
    this.#prefix = prefix;
    const { host, port, socketPath, graphql, ownIds } = target;
    const audition: Audition = {
      host,
      port,
      path: socketPath,
      graphql,
      ownIds,
      prefix,
      thorough: false,
      arrivals: null,
      fail: (reason) => this.#fail(reason),
    };
    this.#audition = audition;
    for (let from = 0; from < listeners; from += CONNECTING) {
      const some = Array.from({ length: Math.min(CONNECTING, listeners - from) }, (_, i) => {
        return new Listener(audition, payloads[(from + i) % payloads.length] as string);
      });
      await Promise.all(some.map((listener) => listener.subscribed));
      this.#listeners.push(...some);
    }
  }

  async #probe({ recipients }: ProbeCommand): Promise<Probed> {
    // One event for all, or a batch that has one for each.
    const [body] = this.#bodiesFor(1, recipients.count, recipients);
    const post = async (): Promise<number> => {
      const first = this.#nextEvent;
      await this.#send(0, body as RequestBody);
      return first;
    };
    for (let probe = 1; !(await this.#reached(1, PROBE_INTERVAL)); probe += 1) {
      if (probe > PROBES) throw new Error(`not every listener was reached by ${PROBES} events`);
      await post();
    }
    // Now that all listen, one more marks the end of the probes, which belong to no round.
    if (!(await this.#reached(await post(), PATIENCE))) throw new Error("an event did not reach every listener");
    this.#endRound();
    return { text: this.#listeners[0]?.sample?.text ?? "" };
  }

  /** Whether every listener has got event `number` or a later one, within `ms`. */
  async #reached(number: number, ms: number): Promise<boolean> {
    for (const begun = performance.now(); performance.now() - begun < ms; await sleep(POLL_INTERVAL)) {
      if (this.#failure !== null) throw new Error(this.#failure);
      if (this.#listeners.every(({ newest }) => newest >= number)) return true;
    }
    return false;
  }

  async #post(command: PostCommand): Promise<Posted> {
    const { audience, recipients, eventsPerPost, inFlight } = command;
    const bodies = this.#bodiesFor(inFlight, eventsPerPost, recipients);
    const arrivals = this.#newRound(audience);
    let posts = 0;
    const cpuBefore = process.cpuUsage();
    const begun = performance.now();
    const mayGoOn = (): boolean =>
      posts < (command.posts ?? Number.POSITIVE_INFINITY) &&
      (posts === 0 || performance.now() - begun < command.forMs) &&
      this.#failure === null;
    const postOn = async (lane: number): Promise<void> => {
      const body = bodies[lane] as RequestBody;
      while (mayGoOn()) {
        const due = begun + posts * (command.everyMs ?? 0);
        posts += 1;
        if (due > performance.now()) await sleep(due - performance.now());
        await this.#send(lane, body, arrivals);
        if (command.until === "delivered") await arrivals.completed(arrivals.events, PATIENCE);
      }
    };
    await Promise.all(bodies.map((_, lane) => postOn(lane)));
    await arrivals.completed(arrivals.events, PATIENCE);
    const wallMs = performance.now() - begun;
    const { user, system } = process.cpuUsage(cpuBefore);
    this.#endRound();
    const { events, deliveries, latency } = arrivals;
    return { posts, events, deliveries, wallMs, clientCpuMs: (user + system) / 1_000, ...latency };
  }

  async #leave({ missed }: LeaveCommand): Promise<null> {
    const audition = this.#audition as Audition;
    const count = this.#listeners.length;
    audition.thorough = true;
    await this.#post(ONE_TO_ALL);
    audition.thorough = false;
    const after = this.#listeners[0]?.sample?.cursor;
    if (after == null) throw new Error("no cursor has come");
    this.#drop();
    const arrivals = this.#newRound("everyone", count);
    const [batch] = this.#bodiesFor(1, 100, NO_RECIPIENTS);
    while (arrivals.events < missed) await this.#send(0, batch as RequestBody, arrivals);
    this.#left = { count, after, arrivals };
    return null;
  }

  async #return({ payload, overMs, liveEveryMs }: ReturnCommand): Promise<Returned> {
    const audition = this.#audition as Audition;
    const { count, after, arrivals } = this.#left as Left;
    const subscribe = payload.replace('"$after"', JSON.stringify(after));
    const [single] = this.#bodiesFor(1, 1, NO_RECIPIENTS);
    let posts = 0;
    let returning = true;
    const postLive = async (): Promise<void> => {
      for (; returning; posts += 1) {
        await this.#send(0, single as RequestBody, arrivals);
        await sleep(liveEveryMs);
      }
    };
    const cpuBefore = process.cpuUsage();
    const begun = performance.now();
    const live = postLive();
    let refused = 0;
    const comeBack = async (): Promise<void> => {
      for (let retries = 0; ; retries += 1) {
        const listener = new Listener(audition, subscribe);
        try {
          await listener.subscribed;
          this.#listeners.push(listener);
          return;
        } catch (error) {
          if (retries === RETRIES) throw error;
          refused += 1;
          await sleep(RETRY_INTERVAL);
        }
      }
    };
    const all: Promise<void>[] = [];
    for (let i = 0; i < count; i += 1) {
      const due = begun + (overMs * i) / count;
      if (due > performance.now()) await sleep(due - performance.now());
      all.push(comeBack());
    }
    const connected = performance.now();
    await Promise.all(all);
    returning = false;
    await live;
    await arrivals.completed(arrivals.events, PATIENCE);
    const catchUpMs = performance.now() - connected;
    const { user, system } = process.cpuUsage(cpuBefore);
    this.#endRound();
    return {
      eventsEach: arrivals.events,
      deliveries: arrivals.deliveries,
      posts,
      refused,
      connectMs: connected - begun,
      catchUpMs,
      clientCpuMs: (user + system) / 1_000,
    };
  }

  #drop(): void {
    for (const listener of this.#listeners) listener.close();
    this.#listeners = [];
  }

  #newRound(audience: PostCommand["audience"], listeners: number = this.#listeners.length): Arrivals {
    const arrivals = new Arrivals(audience, listeners, this.#nextEvent, (reason) => this.#fail(reason));
    for (const listener of this.#listeners) listener.position = 0;
    if (this.#audition !== null) this.#audition.arrivals = arrivals;
    return arrivals;
  }

  #fail(reason: string): void {
    this.#failure ??= reason;
    this.#audition?.arrivals?.abandon(reason);
  }

  /** A server ends connections that are idle for some seconds: the next round has its own. */
  #endRound(): void {
    for (const poster of this.#posters.splice(0)) poster.close();
    if (this.#audition !== null) this.#audition.arrivals = null;
  }

  async #send(lane: number, body: RequestBody, arrivals?: Arrivals): Promise<void> {
    const { host, port, format } = this.#target as Target;
    const poster = this.#posters[lane] ?? new Poster(host, port);
    this.#posters[lane] = poster;
    const first = this.#nextEvent;
    this.#nextEvent += body.events;
    const requests = body.fill(first);
    arrivals?.posted(body.events, performance.now());
    const answers = await poster.post(requests, body.requests);
    // A stack that says what it took must have taken everything, and nothing twice.
    const [answer = ""] = answers;
    if (format !== "mandrill" || answer === "") return;
    const { received, appended = received } = JSON.parse(answer) as { received: number; appended?: number };
    if (received !== body.events || appended !== body.events) {
      throw new Error(`of ${body.events} events the server took ${answer.trim()}`);
    }
  }

  /** One body a lane: it is written to again only when its post has been answered. */
  #bodiesFor(lanes: number, events: number, recipients: Recipients): readonly RequestBody[] {
    const { format, postPath: path, readyString } = this.#target as Target;
    const key = JSON.stringify([events, recipients]);
    const bodies = this.#bodies.get(key) ?? [];
    this.#bodies.set(key, bodies);
    while (bodies.length < lanes) {
      bodies.push(createRequestBody({ format, path, events, prefix: this.#prefix, readyString, recipients }));
    }
    return bodies.slice(0, lanes);
  }
}
