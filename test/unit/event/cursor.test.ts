import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CURSOR_KEY_BYTES, createCursorCodec, ORIGIN_TAG, type Position } from "../../../src/event/cursor.ts";

const KEY = Buffer.from("000102030405060708090a0b0c0d0e0f", "hex");

const positions: fc.Arbitrary<Position> = fc.record({
  epoch: fc.uint8Array({ minLength: 4, maxLength: 4 }).map((bytes) => Buffer.from(bytes).toString("hex")),
  number: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
  tag: fc.uint8Array({ minLength: 6, maxLength: 6 }).map((bytes) => Buffer.from(bytes).toString("base64url")),
});

describe("createCursorCodec", () => {
  it("reads back what it has written, whatever the position", () => {
    const codec = createCursorCodec(KEY);
    fc.assert(
      fc.property(positions, (position) => {
        expect(codec.decode(codec.encode(position))).toEqual(position);
      }),
    );
  });

  it("writes 22 characters of base64url", () => {
    const codec = createCursorCodec(KEY);
    fc.assert(
      fc.property(positions, (position) => {
        expect(codec.encode(position)).toMatch(/^[\w-]{22}$/);
      }),
    );
  });

  it("writes the form that is laid down: what another instance has written must be read", () => {
    // AES-128-ECB of 00112233 000000000001 000000000000, as openssl enc makes it.
    const cursor = createCursorCodec(KEY).encode({ epoch: "00112233", number: 1, tag: ORIGIN_TAG });
    expect(Buffer.from(cursor, "base64url").toString("hex")).toBe("2c4bbabad8d1ef5f306c37d996fc5e61");
  });

  it("gives neighbours cursors that have nothing in common", () => {
    const codec = createCursorCodec(KEY);
    const [first, second] = [1, 2].map((number) => codec.encode({ epoch: "00112233", number, tag: ORIGIN_TAG }));
    const same = [...(first as string)].filter((character, i) => character === second?.[i]);
    expect(same.length).toBeLessThan(8);
  });

  it("does not read back what another key has written", () => {
    const position = { epoch: "00112233", number: 7, tag: "abcdefgh" };
    const foreign = createCursorCodec(randomBytes(CURSOR_KEY_BYTES)).encode(position);
    expect(createCursorCodec(KEY).decode(foreign)).not.toEqual(position);
  });

  it.each([
    ["nothing", ""],
    ["a number", "42"],
    ["too few characters", "AAAAAAAAAAAAAAAAAAAAA"],
    ["too many characters", "AAAAAAAAAAAAAAAAAAAAAAA"],
    ["characters of plain base64", "AAAAAAAAAA+/AAAAAAAAAA"],
    ["a second spelling of the last character", "AAAAAAAAAAAAAAAAAAAAAB"],
    ["blanks", " ".repeat(22)],
    ["characters beyond ASCII", "é".repeat(22)],
  ])("takes %s for no cursor", (_what, cursor) => {
    expect(createCursorCodec(KEY).decode(cursor)).toBeNull();
  });

  it("wants a key of 16 bytes", () => {
    expect(() => createCursorCodec(randomBytes(32))).toThrow(RangeError);
  });
});
