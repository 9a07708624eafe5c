import { createHmac } from "node:crypto";
import {
  NUMBER_DIGITS,
  RECIPIENT_DIGITS,
  RECIPIENT_PREFIX,
  sampleEventText,
  WEBHOOK_KEY,
  WEBHOOK_URL,
} from "./sample-event.ts";

/** What a stack is posted to tell it of events. */
export type BodyFormat =
  /** Mandrill's signed form. */
  | "mandrill"
  /** Ready strings, one a line, for the bare broadcast. */
  | "lines"
  /** One ready string a request, as Nchan publishes. */
  | "publish";

/** Whom the events of a form are about. */
export interface Recipients {
  /** How many there are; an event's number decides. */
  readonly count: number;
  /** All events of one post are about the same one. */
  readonly samePerPost: boolean;
}

export interface RequestBodyOptions {
  readonly format: BodyFormat;
  readonly path: string;
  /** Events a post. */
  readonly events: number;
  /** What message ids begin with. */
  readonly prefix: string;
  /** A frame's text for "lines" and "publish"; its message id is made to be that of the event. */
  readonly readyString: string;
  readonly recipients: Recipients;
}

/** A post that is made once and then only renumbered: making it costs the client next to nothing. */
export interface RequestBody {
  readonly events: number;
  /** HTTP requests, and so answers, of one post. */
  readonly requests: number;
  /** The post with the events `first` and on, ready to be written. The buffers are used again by the next call. */
  fill(first: number): readonly Buffer[];
}

export function createRequestBody(options: RequestBodyOptions): RequestBody {
  return options.format === "mandrill" ? mandrillForm(options) : readyStrings(options);
}

/** The recipient of event `number`, or of every event of the post that begins with it. */
function recipientOf(number: number, events: number, { count, samePerPost }: Recipients): number {
  return samePerPost ? Math.floor(number / events) % count : number % count;
}

function mandrillForm({ path, events, prefix, recipients }: RequestBodyOptions): RequestBody {
  const text = `[${Array.from({ length: events }, () => sampleEventText(prefix)).join(",")}]`;
  const signed = Buffer.from(text);
  const body = Buffer.from(`mandrill_events=${phpUrlEncode(text)}`);
  // The digits to write, in what is signed and in what is sent: nothing of them is ever escaped.
  const copies = [signed, body].map((buffer) => ({
    buffer,
    numbers: placesBehind(buffer, prefix),
    recipients: placesBehind(buffer, RECIPIENT_PREFIX),
  }));
  return {
    events,
    requests: 1,
    fill(first) {
      for (const copy of copies) {
        for (let event = 0; event < events; event += 1) {
          // A message id stands twice in an event.
          writeDigits(copy.buffer, copy.numbers[2 * event] as number, first + event, NUMBER_DIGITS);
          writeDigits(copy.buffer, copy.numbers[2 * event + 1] as number, first + event, NUMBER_DIGITS);
          const recipient = recipientOf(recipients.samePerPost ? first : first + event, events, recipients);
          writeDigits(copy.buffer, copy.recipients[event] as number, recipient, RECIPIENT_DIGITS);
        }
      }
      const signature = createHmac("sha1", WEBHOOK_KEY)
        .update(`${WEBHOOK_URL}mandrill_events`)
        .update(signed)
        .digest("base64");
      const head = requestHead(path, body.length, [
        "User-Agent: Mandrill-Webhook/1.0",
        "Content-Type: application/x-www-form-urlencoded",
        `X-Mandrill-Signature: ${signature}`,
      ]);
      return [head, body];
    },
  };
}

function readyStrings({ format, path, events, prefix, readyString }: RequestBodyOptions): RequestBody {
  const head = (bytes: number): string => requestHead(path, bytes, ["Content-Type: text/plain"]).toString();
  const strings = Array.from({ length: events }, () => readyString);
  const text =
    format === "lines"
      ? head(Buffer.byteLength(strings.join("\n"))) + strings.join("\n")
      : strings.map((string) => head(Buffer.byteLength(string)) + string).join("");
  const buffer = Buffer.from(text);
  const numbers = placesBehind(buffer, prefix);
  return {
    events,
    requests: format === "lines" ? 1 : events,
    fill(first) {
      numbers.forEach((place, event) => {
        writeDigits(buffer, place, first + event, NUMBER_DIGITS);
      });
      return [buffer];
    },
  };
}

function requestHead(path: string, bytes: number, headers: readonly string[]): Buffer {
  const lines = [`POST ${path} HTTP/1.1`, "Host: 127.0.0.1", ...headers, `Content-Length: ${bytes}`, "", ""];
  return Buffer.from(lines.join("\r\n"));
}

/** As PHP's urlencode() does it: a blank is `+`, and all but letters, digits and `-_.` is escaped. */
function phpUrlEncode(text: string): string {
  const escaped = (character: string): string => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
  return encodeURIComponent(text)
    .replace(/[!'()*~]/g, escaped)
    .replaceAll("%20", "+");
}

function placesBehind(buffer: Buffer, marker: string): readonly number[] {
  const places: number[] = [];
  for (let at = buffer.indexOf(marker); at !== -1; at = buffer.indexOf(marker, at + 1)) places.push(at + marker.length);
  return places;
}

function writeDigits(buffer: Buffer, at: number, value: number, digits: number): void {
  let rest = value;
  for (let place = at + digits - 1; place >= at; place -= 1) {
    buffer[place] = 0x30 + (rest % 10);
    rest = Math.floor(rest / 10);
  }
}
