import { describe, expect, it } from "vitest";
import { attachments, mailbox, mailboxes } from "../../../src/mandrill/inbound-mail.ts";

describe("mailbox", () => {
  it.each([
    ["ada@example.com", "Ada Lovelace", "Ada Lovelace <ada@example.com>"],
    ["ada@example.com", "Grüße", "Grüße <ada@example.com>"],
    ["ada@example.com", null, "ada@example.com"],
    ["ada@example.com", "", "ada@example.com"],
    ["ada@example.com", 7, "ada@example.com"],
    ["ada@example.com", "Lovelace, Ada", '"Lovelace, Ada" <ada@example.com>'],
    ["ada@example.com", 'The "Countess"', '"The \\"Countess\\"" <ada@example.com>'],
    ["ada@example.com", "boss@example.com", '"boss@example.com" <ada@example.com>'],
  ])("shows %j of %j as %s", (address, name, shown) => {
    expect(mailbox(address, name)).toBe(shown);
  });

  it.each([[undefined], [null], [""], [42], [["ada@example.com"]]])("is null where the address is %j", (address) => {
    expect(mailbox(address, "Ada")).toBeNull();
  });
});

describe("mailboxes", () => {
  it("reads pairs of address and name, and leaves out what is none", () => {
    const to = [
      ["a@example.com", "A"],
      ["b@example.com", null],
      ["c@example.com"],
      "d@example.com",
      [],
      [null, "E"],
      5,
      null,
    ];
    expect(mailboxes(to)).toEqual(["A <a@example.com>", "b@example.com", "c@example.com", "d@example.com"]);
  });

  it.each([[undefined], [null], [{}], [[]], ["a@example.com"]])("are none in %j", (value) => {
    expect(mailboxes(value)).toEqual([]);
  });
});

describe("attachments", () => {
  it("tells the size of a content without decoding it", () => {
    const contents = ["", "a", "ab", "abc", "abcd", "ü€😀"].map((content) => Buffer.from(content));
    const files = contents.map((content) => ({
      name: "f",
      type: "t",
      content: content.toString("base64"),
      base64: true,
    }));
    expect(attachments(files).map(({ size }) => size)).toEqual(contents.map(({ length }) => length));
  });

  it("tells the size of base64 that is folded into lines", () => {
    const content = Buffer.alloc(200, 1).toString("base64").replace(/.{76}/g, "$&\r\n");
    expect(attachments({ f: { name: "f", type: "t", content, base64: true } })).toEqual([
      { name: "f", type: "t", size: 200 },
    ]);
  });

  it("counts the bytes of plain text", () => {
    const plain = { "a.txt": { name: "a.txt", type: "text/plain", content: "Grüße", base64: false } };
    expect(attachments(plain)).toEqual([{ name: "a.txt", type: "text/plain", size: 7 }]);
  });

  it("names one that has no name by its key", () => {
    expect(attachments({ "b.pdf": { type: "application/pdf" } })).toEqual([
      { name: "b.pdf", type: "application/pdf", size: null },
    ]);
  });

  it("keeps one that is no attachment as an unknown one", () => {
    expect(attachments({ a: 5, b: null })).toEqual([
      { name: "a", type: null, size: null },
      { name: "b", type: null, size: null },
    ]);
    expect(attachments([{ content: 5 }])).toEqual([{ name: null, type: null, size: null }]);
  });

  it.each([[undefined], [null], [[]], [{}], ["a"], [1]])("are none in %j", (value) => {
    expect(attachments(value)).toEqual([]);
  });
});
