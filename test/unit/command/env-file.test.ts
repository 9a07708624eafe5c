import { parseEnv } from "node:util";
import { describe, expect, it } from "vitest";
import { withVariables } from "../../../src/command/env-file.ts";

describe("the lines of an environment file", () => {
  it("are added to a file that has none of the variables", () => {
    expect(withVariables("", { A: "1" })).toBe("A=1\n");
    expect(withVariables("# ours\nPORT=5000", { A: "1" })).toBe("# ours\nPORT=5000\nA=1\n");
  });

  it("take the place of the one that counts; comments and names that are longer stay", () => {
    const text = "A=old\n#A=example\nAB=2\n  export A = older \nB=3\n";
    expect(withVariables(text, { A: "1" })).toBe("#A=example\nAB=2\nA=1\nB=3\n");
  });

  it.each([
    "plain",
    "https://a:b@example.com/m?x=1&y=2",
    "with blank",
    "it's",
    'say "so"',
    "#begins",
    "a=b",
    "$HOME",
    "\\n",
  ])("are read back as they were written: %s", (value) => {
    expect(parseEnv(withVariables("", { A: value }))).toEqual({ A: value });
  });

  it("are refused where no reader would take them", () => {
    expect(() => withVariables("", { A: "'\"`" })).toThrow(/cannot be written/);
    expect(() => withVariables("", { A: "two\nlines" })).toThrow(/cannot be written/);
  });
});
