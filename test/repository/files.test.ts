import { extname } from "node:path";
import { describe, expect, it } from "vitest";
import { textOf, trackedFiles } from "./tracked-files.ts";

const FILES = trackedFiles();
const TEXTS = FILES.filter((path) => !/\.(?:png|jpe?g|gif|ico|woff2?|gz|pdf)$/.test(path));
/** Neither copied as it was published, nor written by a program. */
const OURS = TEXTS.filter((path) => !path.startsWith("test/fixture/") && !path.includes("/generated/"));

/** Lines in which `pattern` matches, each with its place. */
function linesWith(pattern: RegExp, paths: readonly string[]): readonly string[] {
  return paths.flatMap((path) =>
    textOf(path)
      .split("\n")
      .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${line.trim().slice(0, 120)}`] : [])),
  );
}

describe("the files that git keeps", () => {
  it("are there", () => {
    expect(FILES).toContain("src/error.ts");
    expect(FILES).not.toContain("node_modules/.package-lock.json");
  });

  it("name no package registry: where packages come from is npm's configuration", () => {
    expect(linesWith(/\b(?:registry|npm)\.[a-z0-9.-]*npm[a-z]*\.|\bnpmjs\.|"resolved": *"http/, TEXTS)).toEqual([]);
  });

  it("name no folder of the machine that they were written on", () => {
    expect(linesWith(/(?<![\w.:/-])\/(?:root|work|home|Users|tmp)\/\w/, OURS)).toEqual([]);
  });

  it("name no address that could be somebody's", () => {
    const address = /(?<![\w.%+-])[\w.%+-]+@((?:[a-z0-9-]+\.)+[a-z]{2,})\b/gi;
    const reserved = /(?:^|\.)(?:example\.(?:com|org|net)|example|test|invalid|localhost|mandrillapp\.com)$/i;
    const found = OURS.filter((path) => path !== "package-lock.json").flatMap((path) =>
      [...textOf(path).matchAll(address)]
        .filter(([, domain]) => !reserved.test(domain ?? ""))
        .map(([whole]) => `${path}: ${whole}`),
    );
    expect(found).toEqual([]);
  });

  it("end with a line break, have no trailing blanks, and no carriage returns", () => {
    expect(OURS.filter((path) => !/(?:^|[^\n])\n$|^$/.test(textOf(path)))).toEqual([]);
    expect(
      linesWith(
        /[ \t\r]$/,
        OURS.filter((path) => extname(path) !== ".snap"),
      ),
    ).toEqual([]);
  });

  it("hold no secret of an environment", () => {
    expect(FILES.filter((path) => /(?:^|\/)\.env(?!\.example$)/.test(path))).toEqual([]);
  });
});

describe("the files of src", () => {
  it("have 400 lines at the most", () => {
    const sources = trackedFiles("src/*").filter((path) => !path.includes("/generated/"));
    expect(sources.filter((path) => textOf(path).split("\n").length > 401)).toEqual([]);
  });

  it("are found under names that say what they are", () => {
    expect(FILES.filter((path) => /^src\/.*(?:^|[/.-])(?:utils?|helpers?|common|misc|index)\b/.test(path))).toEqual([]);
  });
});
