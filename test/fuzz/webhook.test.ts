import fc from "fast-check";
import { expect, it } from "vitest";
import { ServiceError } from "../../src/error.ts";
import { eventIds } from "../../src/event/event-id.ts";
import { EVENT_TYPES } from "../../src/event/event-type.ts";
import { type BatchType, batchTypeOf, parseBatch } from "../../src/mandrill/batch.ts";
import { openUnsignedBatch } from "../../src/mandrill/open-batch.ts";
import { parseEvent } from "../../src/mandrill/parse-event.ts";
import { RAW_EVENTS } from "../../src/mandrill/raw-events.ts";
import { rawEvents } from "../harness/mandrill-post.ts";

const CASES = 100_000;
const SAMPLES = JSON.stringify(rawEvents(12));

/** What the webhook makes of a body; the code where it refuses it. Whatever else is thrown would be answered with 500. */
function judged(type: BatchType, body: Buffer): string {
  try {
    const batch = parseBatch(openUnsignedBatch(type, body).text);
    const ids = eventIds(batch.map(({ content }) => content));
    expect(new Set(ids).size).toBe(batch.length);
    batch.forEach(({ raw }, index) => {
      const event = parseEvent(raw, ids[index] as string, null);
      expect(EVENT_TYPES).toContain(event.type);
      // It is kept as text, and read back from it.
      expect(RAW_EVENTS.decode(RAW_EVENTS.encode(event))).toEqual(event);
    });
    return "taken";
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    expect(error.status).toBeLessThan(500);
    return error.code;
  }
}

const oddText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 30 }),
  fc.constantFrom(
    "",
    "\u0000",
    "\ud800",
    "__proto__",
    "a@b@c",
    "Mrs A. <ada@example.com>",
    "9".repeat(400),
    "2025-02-30 25:61:61",
  ),
);
const oddValue = fc.oneof(
  { weight: 4, arbitrary: fc.oneof(oddText, fc.double(), fc.integer(), fc.boolean(), fc.constant(null)) },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
);
const NAMES =
  "event type ts _id msg url ip location user_agent user_agent_parsed reject entry action email sender subject tags " +
  "metadata subaccount template state opens clicks smtp_events diag bgtools_code bounce_description from_email from_name " +
  "to headers text html attachments name content base64 country_short latitude mobile reason expires_at __proto__ constructor";
/** One of these is a backslash, for which V8 takes others that are written with one. */
const ESCAPED_NAMES = ["\\", "\n", '"', "\ud800", "\\u"];
const name = fc.oneof(fc.constantFrom(...NAMES.split(" "), ...ESCAPED_NAMES), oddText);

/** Objects with the names that the parser looks for, and anything in them. */
const { element } = fc.letrec<{ element: unknown; value: unknown; object: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthIdentifier: "raw" },
    oddValue,
    tie("object"),
    fc.array(oddValue, { maxLength: 3 }),
  ),
  object: fc.dictionary(name, tie("value"), { maxKeys: 6, depthIdentifier: "raw" }),
  element: fc.oneof(
    {
      weight: 8,
      arbitrary: fc
        .tuple(fc.constantFrom(...EVENT_TYPES, "denylist", "sms"), tie("object"), tie("object"))
        .map(([event, msg, rest]) => ({ ...(rest as object), event, msg })),
    },
    { weight: 1, arbitrary: tie("value") },
  ),
}));

/** A good text with a few places overwritten, cut out or doubled. */
function damaged(text: string) {
  const damage = fc.record({
    at: fc.nat(text.length),
    length: fc.nat(40),
    put: fc.oneof(oddText, fc.constantFrom('"', "{", "]", "\\", "\\u", ",", "-", "1e999", "%", "&", "=")),
  });
  return fc
    .array(damage, { minLength: 1, maxLength: 4 })
    .map((damages) =>
      damages.reduce(
        (damagedText, { at, length, put }) => damagedText.slice(0, at) + put + damagedText.slice(at + length),
        text,
      ),
    );
}

it(`takes or refuses ${CASES} odd batches, and fails at none`, { timeout: 600_000 }, () => {
  const outcomes = new Set<string>();
  const run = <T>(runs: number, arbitrary: fc.Arbitrary<T>, judge: (value: T) => string): void => {
    fc.assert(
      fc.property(arbitrary, (value) => void outcomes.add(judge(value))),
      { numRuns: runs },
    );
  };
  const asForm = (text: string): Buffer =>
    Buffer.from(new URLSearchParams({ mandrill_events: text.toWellFormed() }).toString());

  // Batches of odd elements, well-formed as JSON.
  run(CASES * 0.4, fc.array(element, { maxLength: 3 }), (events) => {
    expect(judged("json", Buffer.from(JSON.stringify(events)))).toBe("taken");
    return judged("form", asForm(JSON.stringify(events)));
  });
  // Texts that were a good batch before something happened to them.
  run(CASES * 0.2, damaged(SAMPLES.slice(0, 3_000)), (text) => judged("form", asForm(text)));
  run(CASES * 0.2, damaged(`mandrill_events=${encodeURIComponent(SAMPLES.slice(0, 1_000))}`), (text) =>
    judged("form", Buffer.from(text)),
  );
  // Anything at all.
  run(
    CASES * 0.1,
    fc.tuple(fc.constantFrom<BatchType>("form", "json"), fc.uint8Array({ maxLength: 200 })),
    ([type, bytes]) => judged(type, Buffer.from(bytes)),
  );
  run(CASES * 0.1, fc.tuple(fc.option(oddText), fc.option(oddText)), ([type, encoding]) => {
    try {
      return batchTypeOf(type ?? undefined, encoding ?? undefined);
    } catch (error) {
      expect(error).toMatchObject({ code: "UNSUPPORTED_MEDIA_TYPE" });
      return "UNSUPPORTED_MEDIA_TYPE";
    }
  });
  expect(outcomes).toEqual(new Set(["taken", "BATCH_MALFORMED", "UNSUPPORTED_MEDIA_TYPE"]));
});
