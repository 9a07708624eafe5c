import { isAscii, isUtf8 } from "node:buffer";
import { ServiceError } from "../error.ts";
import type { Json } from "../event/event.ts";
import { canonicalContent, MAX_NESTING } from "../event/event-id.ts";
import { parseExactly } from "../event/exact-json.ts";
import { elementTexts } from "./element-text.ts";
import type { Parameter } from "./form.ts";
import { EXPECTED_BODY, malformed } from "./malformed.ts";

/** The two bodies in which a batch comes: Mandrill's signed form, and a bare JSON array written by hand. */
export type BatchType = "form" | "json";

/**
 * Events of one batch at the most. Mandrill sends 1,000; a batch is appended as one atomic act, during which the
 * log does nothing else, and 32 MiB could hold eleven million empty objects.
 */
export const MAX_BATCH_EVENTS = 10_000;

const EVENTS_PARAMETER = "mandrill_events";

/** One element of a batch. */
export interface RawEvent {
  /** The element; its JSON text where it is nested deeper than {@link MAX_NESTING}. */
  readonly raw: Json;
  /** What its id is made from (`eventIds`). */
  readonly content: string;
  /** The text of `raw`. */
  readonly rawText: string | undefined;
}

/** Which body the headers announce; throws UNSUPPORTED_MEDIA_TYPE for any other. */
export function batchTypeOf(contentType: string | undefined, contentEncoding: string | undefined): BatchType {
  if (contentEncoding !== undefined && contentEncoding.trim().toLowerCase() !== "identity") {
    throw unsupported(
      `The body is compressed (Content-Encoding: ${shown(contentEncoding)}); Mandrill never does that.`,
    );
  }
  if (contentType === undefined) throw unsupported("The request has no Content-Type.");
  const [mediaType = "", ...parameters] = contentType.split(";").map((part) => part.trim().toLowerCase());
  const type = mediaType === "application/json" ? "json" : "form";
  if (type === "form" && mediaType !== "application/x-www-form-urlencoded") {
    throw unsupported(`The Content-Type is ${shown(contentType)}.`);
  }
  const charset = parameters.find((parameter) => parameter.startsWith("charset="));
  if (charset !== undefined && !/^charset="?utf-?8"?$/.test(charset)) {
    throw unsupported(`The Content-Type is ${shown(contentType)}, and only UTF-8 is read.`);
  }
  return type;
}

function unsupported(message: string): ServiceError {
  return new ServiceError("UNSUPPORTED_MEDIA_TYPE", message, { expected: EXPECTED_BODY });
}

/** A header's value as it may be told: short. */
function shown(value: string): string {
  return JSON.stringify(value.slice(0, 100));
}

/** The JSON text of a form's events; throws BATCH_MALFORMED where there is not exactly one. */
export function eventsOfForm(parameters: readonly Parameter[]): string {
  const found = parameters.filter(({ name }) => name === EVENTS_PARAMETER);
  const [events] = found;
  if (events === undefined) {
    const jsonIsh = /^\s*[[{]/.test(parameters[0]?.name ?? "");
    const hint = jsonIsh ? " It looks like JSON: send that as Content-Type: application/json." : "";
    throw malformed(`The form has no parameter ${EVENTS_PARAMETER}.${hint}`);
  }
  if (found.length > 1) throw malformed(`The form has ${found.length} parameters ${EVENTS_PARAMETER}, not one.`);
  return textOf(events.value);
}

/** The JSON text of an `application/json` body. */
export function eventsOfJson(body: Buffer): string {
  if (!isUtf8(body)) throw malformed("The body is not UTF-8.");
  return textOf(body);
}

/** PHP escapes what is not ASCII, and a string of bytes is parsed faster than one that was decoded. */
function textOf(utf8: Buffer): string {
  return utf8.toString(isAscii(utf8) ? "latin1" : "utf8");
}

/** Whether `text` is an empty array: the only thing that a test key may sign. */
export function isEmptyBatch(text: string): boolean {
  return /^\s*\[\s*\]\s*$/.test(text);
}

/**
 * The elements of a batch, whatever they are; throws BATCH_MALFORMED where the text is not a JSON array. An element
 * nested deeper than {@link MAX_NESTING} is kept as its own text, since as a value nobody could read it back.
 */
export function parseBatch(text: string): RawEvent[] {
  const elements = parseArray(text);
  if (elements.length > MAX_BATCH_EVENTS) {
    throw malformed(`The batch has ${elements.length} events; ${MAX_BATCH_EVENTS} are the most.`);
  }
  const texts = elementTexts(text);
  return elements.map((raw, i) => {
    const content = canonicalContent(raw);
    const rawText = texts[i] as string;
    if (content !== null) return { raw, content, rawText };
    return { raw: rawText, content: canonicalContent(rawText) as string, rawText: undefined };
  });
}

function parseArray(text: string): readonly Json[] {
  let value: Json;
  try {
    value = parseExactly(text);
  } catch (error) {
    // V8's message quotes the text, which may hold addresses: only where it broke off is told.
    throw malformed(`The events are not JSON${placeOf(error)}.`);
  }
  if (!Array.isArray(value)) throw malformed(`The events are not a JSON array but ${kindOf(value)}.`);
  return value;
}

function placeOf(error: unknown): string {
  const message = error instanceof Error ? error.message : "";
  if (message.includes("Unexpected end")) return ": the text ends too early";
  const position = / at position \d+/.exec(message);
  return position === null ? "" : `: something is wrong${position[0]}`;
}

function kindOf(value: Json): string {
  if (value === null) return "null";
  if (typeof value !== "object") return `a ${typeof value}`;
  return JSON.isRawJSON(value) ? "a number" : "an object";
}
