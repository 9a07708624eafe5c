import { describe, expect, it } from "vitest";
import { ServiceError } from "../../../src/error.ts";
import { eventIds, MAX_NESTING } from "../../../src/event/event-id.ts";
import {
  batchTypeOf,
  eventsOfForm,
  eventsOfJson,
  isEmptyBatch,
  MAX_BATCH_EVENTS,
  parseBatch,
} from "../../../src/mandrill/batch.ts";
import { decodeForm } from "../../../src/mandrill/form.ts";

function refusalOf(act: () => unknown): ServiceError {
  try {
    act();
  } catch (error) {
    if (error instanceof ServiceError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

describe("batchTypeOf", () => {
  it.each([
    ["application/x-www-form-urlencoded", "form"],
    ["Application/X-WWW-Form-urlencoded; Charset=UTF-8", "form"],
    ["application/json", "json"],
    ['application/json;charset="utf-8"', "json"],
    ["application/json; charset=utf8; version=1", "json"],
  ])("takes %s for a %s", (contentType, type) => {
    expect(batchTypeOf(contentType, undefined)).toBe(type);
    expect(batchTypeOf(contentType, "identity")).toBe(type);
  });

  it.each([
    [undefined],
    [""],
    ["text/plain"],
    ["multipart/form-data; boundary=x"],
    ["application/json-seq"],
    ["text/json"],
    ["application/json; charset=latin1"],
    ["application/x-www-form-urlencoded; charset=utf-16"],
  ])("refuses %j, and says what is expected", (contentType) => {
    const refusal = refusalOf(() => batchTypeOf(contentType, undefined));
    expect(refusal.code).toBe("UNSUPPORTED_MEDIA_TYPE");
    expect(refusal.extensions.expected).toContain("application/x-www-form-urlencoded");
  });

  it.each(["gzip", "br", "deflate", "zstd", "gzip, identity"])(
    "refuses a body in %s: a bomb could be in it",
    (encoding) => {
      expect(refusalOf(() => batchTypeOf("application/json", encoding)).code).toBe("UNSUPPORTED_MEDIA_TYPE");
    },
  );
});

describe("eventsOfForm", () => {
  const events = (form: string): string => eventsOfForm(decodeForm(Buffer.from(form)));

  it("finds the events beside parameters of whatever name", () => {
    expect(events("a=1&mandrill_events=%5B%5D&z=2")).toBe("[]");
  });

  it.each([
    ["", "has no parameter mandrill_events."],
    ["events=[]", "has no parameter mandrill_events."],
    ["mandrill_events[]=1", "has no parameter mandrill_events."],
    ["Mandrill_Events=[]", "has no parameter mandrill_events."],
    ['[{"event":"open"}]', "send that as Content-Type: application/json"],
    ["mandrill_events=[]&mandrill_events=[]", "has 2 parameters mandrill_events, not one"],
  ])("refuses %j", (form, reason) => {
    const refusal = refusalOf(() => events(form));
    expect(refusal).toMatchObject({ code: "BATCH_MALFORMED", message: expect.stringContaining(reason) });
  });
});

describe("eventsOfJson", () => {
  it("reads UTF-8", () => {
    expect(eventsOfJson(Buffer.from('["Grüße 😀"]'))).toBe('["Grüße 😀"]');
  });

  it("refuses bytes that are none", () => {
    expect(refusalOf(() => eventsOfJson(Buffer.from([0x5b, 0xff, 0x5d])))).toMatchObject({
      message: "The body is not UTF-8.",
    });
  });
});

describe("isEmptyBatch", () => {
  it("knows an empty array by its text", () => {
    expect(["[]", " [\n] "].every(isEmptyBatch)).toBe(true);
    expect(["", "{}", "[1]", "[[]]", "[],[]", "null", '"[]"'].some(isEmptyBatch)).toBe(false);
  });
});

describe("parseBatch", () => {
  it("takes elements of every kind, and none", () => {
    expect(parseBatch("[]")).toEqual([]);
    expect(parseBatch('[{"event":"open"},null,1,"a",[],true]').map(({ raw }) => raw)).toEqual([
      { event: "open" },
      null,
      1,
      "a",
      [],
      true,
    ]);
  });

  it.each([
    ['{"event":"open"}', "not a JSON array but an object"],
    ["null", "not a JSON array but null"],
    ['"[]"', "not a JSON array but a string"],
    ["12345678901234567890", "not a JSON array but a number"],
    ["", "the text ends too early"],
    ['[{"event":"open"}', "something is wrong at position 17"],
    ["[{]", "something is wrong at position 2"],
    ["[1,]", "The events are not JSON"],
    ["undefined", "The events are not JSON"],
    ["\ufeff[]", "The events are not JSON"],
  ])("refuses %j", (text, reason) => {
    const refusal = refusalOf(() => parseBatch(text));
    expect(refusal).toMatchObject({ code: "BATCH_MALFORMED", message: expect.stringContaining(reason) });
    expect(refusal.extensions.expected).toContain("a JSON array");
  });

  it("quotes nothing of what it could not read: it may hold addresses", () => {
    const { message } = refusalOf(() => parseBatch("[ada@example.com]"));
    expect(message).not.toContain("ada");
  });

  it("takes ten times what Mandrill sends, and not more", () => {
    const batchOf = (count: number): string => `[${Array.from({ length: count }, (_, i) => i).join()}]`;
    expect(parseBatch(batchOf(MAX_BATCH_EVENTS))).toHaveLength(MAX_BATCH_EVENTS);
    expect(refusalOf(() => parseBatch(batchOf(MAX_BATCH_EVENTS + 1))).message).toContain("10000 are the most");
  });

  it("keeps the digits of long integers", () => {
    const text = '[{"msg":{"metadata":{"order":12345678901234567890}}},9007199254740993]';
    expect(JSON.stringify(parseBatch(text).map(({ raw }) => raw))).toBe(text);
  });

  it("keeps an element that is nested beyond all bounds as its text, and the rest of the batch as it is", () => {
    const deep = `${'{"a":['.repeat(50_000)}"]"${"]}".repeat(50_000)}`;
    const batch = parseBatch(`[{"event":"open"}, ${deep} ,{"event":"click"}]`);
    expect(batch.map(({ raw }) => raw)).toEqual([{ event: "open" }, deep, { event: "click" }]);
    expect(new Set(eventIds(batch.map(({ content }) => content))).size).toBe(3);
  });

  it("keeps an element as a value that is nested just as deep as may be", () => {
    const deep = `${"[".repeat(MAX_NESTING)}${"]".repeat(MAX_NESTING)}`;
    expect(JSON.stringify(parseBatch(`[${deep}]`)[0]?.raw)).toBe(deep);
  });
});
