import { describe, expect, it } from "vitest";
import { ServiceError } from "../../../src/error.ts";
import { readEventsQuery } from "../../../src/http/events-query.ts";

const read = (query: string, lastEventId?: string) => readEventsQuery(`/events?${query}`, lastEventId);

function refusalOf(query: string): ServiceError {
  try {
    read(query);
  } catch (error) {
    if (error instanceof ServiceError) return error;
    throw error;
  }
  throw new Error(`${query} was taken`);
}

describe("the parameters of a request for events", () => {
  it("are all left out at will", () => {
    const nothing = {
      filter: { types: undefined, email: undefined, messageId: undefined, tag: undefined, subaccount: undefined },
      after: null,
      raw: false,
      wait: 0,
    };
    expect(readEventsQuery("/events", undefined)).toEqual(nothing);
    expect(readEventsQuery("/events?", "")).toEqual(nothing);
  });

  it("say by the schema's names what is wanted", () => {
    expect(
      read("types=open,%20click&email=a%2Bb@example.com&messageId=m&tag=t%26u&subaccount=s&after=c&raw=1&wait=2.5"),
    ).toEqual({
      filter: { types: ["open", "click"], email: "a+b@example.com", messageId: "m", tag: "t&u", subaccount: "s" },
      after: "c",
      raw: true,
      wait: 2_500,
    });
  });

  it("give way to the place that an EventSource brings back", () => {
    expect(read("after=first", "later").after).toBe("later");
    expect(read("after=first", "").after).toBe("first");
    expect(read("", "later").after).toBe("later");
  });

  it("have a poll with a place wait, and one without answered at once, unless they say otherwise", () => {
    expect([read("after=c").wait, read("").wait, read("wait=7").wait, read("after=c&wait=0").wait]).toEqual([
      25_000, 0, 7_000, 0,
    ]);
    expect([read("wait=300").wait, refusalOf("wait=300.1").code]).toEqual([300_000, "BAD_USER_INPUT"]);
  });

  it.each([
    ["type=open", "type", "types, email"],
    ["types=opened", "types", "hard_bounce"],
    ["types=Open", "types", "open"],
    ["types=", "types", "leave it out"],
    ["types=open,", "types", '""'],
    ["tag=a&tag=b", "tag", "twice"],
    ["raw=maybe", "raw", "1 or 0"],
    ["wait=soon", "wait", "seconds"],
    ["wait=1e3", "wait", "seconds"],
  ])("are refused where they are %s", (query, argument, said) => {
    const { code, message, extensions } = refusalOf(query);
    expect([code, extensions]).toEqual(["BAD_USER_INPUT", { argument }]);
    expect(message).toContain(said);
  });

  it("leave the credential to others, and never name it", () => {
    expect(read("ticket=secret").after).toBeNull();
    expect(refusalOf("ticket=secret&unknown=1").message).not.toMatch(/ticket|secret/);
  });
});
