import type { FormattedExecutionResult, Sink, SubscribePayload } from "graphql-ws/client";
import type { Gap, GapAnswer, Lag } from "./gap.ts";

/** What the server sends by `next`. */
export type Result = FormattedExecutionResult<Record<string, unknown>, unknown>;

/** What an operation needs of its client. */
export interface OperationHost {
  /** The newest place in the log that the present connection has told of; undefined without one. */
  readonly head: string | undefined;
  /** Subscribes through graphql-ws, under a new id. */
  open(payload: SubscribePayload, sink: Sink<Result>): { readonly id: string; readonly close: () => void };
  /** Whether an operation goes on after what ended it for graphql-ws, and which is no GraphQL error. */
  survives(error: unknown, attempt: number): boolean;
  /** Resolves when attempt number `attempt`, from 0, is due. */
  pause(attempt: number): Promise<void>;
  readonly onGap: ((gap: Gap) => unknown) | undefined;
  readonly onLag: ((lag: Lag) => void) | undefined;
  /** The operation is over. */
  left(operation: ResumingOperation): void;
}

/** One subscription of the application, and its place in the log: survives connections, lags and gaps. */
export class ResumingOperation {
  readonly #payload: SubscribePayload;
  readonly #sink: Sink<Result>;
  readonly #host: OperationHost;
  readonly #start: string | undefined;
  /** The payload as graphql-ws keeps it. It turns it into JSON whenever it sends it, also for its silent retries. */
  readonly #sent: SubscribePayload;
  /** Everything up to here has been delivered; undefined until anything is known. */
  #place: string | undefined;
  #begun = false;
  #opened: { readonly id: string; readonly close: () => void } | undefined;
  /** Attempts since it last moved. */
  #attempts = 0;
  #over = false;

  /**
   * @param start the cursor behind which the application lets it begin
   */
  constructor(payload: SubscribePayload, start: string | undefined, sink: Sink<Result>, host: OperationHost) {
    this.#payload = payload;
    this.#sink = sink;
    this.#host = host;
    this.#start = start;
    this.#place = start;
    this.#sent = Object.assign({ ...payload }, { toJSON: () => this.#toSend() });
  }

  /** Under what the server knows it now. */
  get id(): string | undefined {
    return this.#opened?.id;
  }

  open(): void {
    if (this.#over) return;
    this.#opened = this.#host.open(this.#sent, {
      next: (result) => this.#deliver(result),
      error: (error) => this.#recover(error),
      complete: () => this.stop(),
    });
  }

  /** Everything up to this cursor has been delivered. */
  moveTo(cursor: string): void {
    this.#place = cursor;
    this.#attempts = 0;
  }

  stop(): void {
    this.#end(() => this.#sink.complete());
  }

  /** As given the first time, so that the server judges where it begins; from then on with its place. */
  #toSend(): SubscribePayload {
    const after = this.#begun ? this.#place : undefined;
    this.#begun = true;
    // Live from now on: cut off before it has seen anything, it goes on from what its connection has told of.
    this.#place ??= this.#host.head;
    return after === undefined
      ? this.#payload
      : { ...this.#payload, extensions: { ...this.#payload.extensions, after } };
  }

  #deliver(result: Result): void {
    if (this.#over) return;
    const cursor = (result.extensions as { readonly cursor?: unknown } | null | undefined)?.cursor;
    if (typeof cursor === "string") this.moveTo(cursor);
    try {
      this.#sink.next(result);
    } catch (error) {
      // graphql-ws would close the socket, for the other operations too.
      this.#fail(error);
    }
  }

  #recover(error: unknown): void {
    if (this.#over) return;
    this.#opened = undefined;
    const extensions = extensionsOf(error);
    switch (extensions.code) {
      case "SUBSCRIBER_LAGGED":
        this.#place = cursorOrNull(extensions.after) ?? this.#place;
        this.#host.onLag?.({ operation: this.#payload, after: this.#place });
        this.#again("now");
        break;
      case "CURSOR_EXPIRED":
      case "CURSOR_UNKNOWN":
        this.#tell(extensions.code, extensions, error);
        break;
      case "LOG_UNAVAILABLE":
      case "SHUTTING_DOWN":
        this.#again("later");
        break;
      default:
        if (this.#host.survives(error, this.#attempts)) this.#again("later");
        else this.#fail(error);
    }
  }

  #tell(code: Gap["code"], extensions: Readonly<Record<string, unknown>>, error: unknown): void {
    const oldest = cursorOrNull(extensions.oldest);
    const head = cursorOrNull(extensions.head);
    const goesOn = code === "CURSOR_EXPIRED" && oldest !== null ? "oldest" : "head";
    const gap: Gap = { code, operation: this.#payload, after: this.#place, oldest, head, goesOn };
    const goOn = (answer: GapAnswer | undefined): void => {
      if (answer === "end") {
        this.#fail(error);
        return;
      }
      this.#place = typeof answer === "object" ? answer.after : this.#placeBehind(answer ?? goesOn, gap);
      this.#again("now");
    };
    const { onGap } = this.#host;
    if (onGap === undefined) {
      // Nobody else can be told: no gap is silent.
      this.#fail(error);
      return;
    }
    try {
      const answer = onGap(gap) as GapAnswer | undefined | PromiseLike<GapAnswer | undefined>;
      // Answered at once, it subscribes again before graphql-ws can close a socket that nobody uses.
      if (isPromiseLike(answer)) answer.then(goOn, (thrown) => this.#fail(thrown));
      else goOn(answer);
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  /** undefined: live from now on, which only an operation without a place of its own can ask for. */
  #placeBehind(end: "oldest" | "head", { oldest, head }: Gap): string | undefined {
    const cursor = end === "oldest" ? (oldest ?? head) : head;
    return cursor ?? (this.#start === undefined ? undefined : this.#host.head);
  }

  /** The first attempt since it last moved may be made at once. */
  #again(when: "now" | "later"): void {
    const attempt = this.#attempts;
    this.#attempts += 1;
    if (when === "now" && attempt === 0) {
      this.open();
      return;
    }
    this.#host.pause(attempt).then(
      () => this.open(),
      (error) => this.#fail(error),
    );
  }

  #fail(error: unknown): void {
    this.#end(() => this.#sink.error(error));
  }

  #end(tell: () => void): void {
    if (this.#over) return;
    this.#over = true;
    this.#opened?.close();
    this.#opened = undefined;
    this.#host.left(this);
    tell();
  }
}

/** What the first error of an `error` message says beside its sentence; empty for all else, as a close event. */
function extensionsOf(error: unknown): Readonly<Record<string, unknown>> {
  return Array.isArray(error) ? (error[0]?.extensions ?? {}) : {};
}

function cursorOrNull(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === "function";
}
