import { existsSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, it } from "vitest";
import { ERRORS } from "../../src/error.ts";
import { isRecentEnough, OLDEST_REDIS } from "../../src/event-log/redis/redis-version.ts";
import { SETTINGS } from "../../src/setting.ts";
import { environmentExample, settingsHelp, withSettingsTable } from "../../src/settings-table.ts";
import { ROOT, textOf, trackedFiles } from "./tracked-files.ts";

/** The rows of a Markdown table that begin with a code or a name in backticks, cell by cell. */
function rowsOf(markdown: string): readonly (readonly string[])[] {
  const rows = markdown.split("\n").filter((line) => line.startsWith("| `"));
  return rows.map((row) =>
    row
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim()),
  );
}

describe("docs/errors.md", () => {
  const rows = rowsOf(textOf("docs/errors.md"));

  it("has one row for each code, in the order of src/error.ts", () => {
    expect(rows.map(([code]) => code)).toEqual(Object.keys(ERRORS).map((code) => `\`${code}\``));
  });

  it.each(Object.entries(ERRORS))(
    "tells of %s what src/error.ts says, and what to do",
    (code, { status, close, retryable }) => {
      const [, http, closeCode, again, meaning, remedy] = rows.find(([name]) => name === `\`${code}\``) ?? [];
      expect({ http, closeCode, again }).toEqual({
        http: String(status),
        closeCode: close === null ? "" : String(close),
        again: retryable ? "yes" : "no",
      });
      expect(meaning).toMatch(/\.\)?$/);
      expect(remedy).toMatch(/\.$/);
    },
  );
});

describe("the settings that people read of", () => {
  it("are in README.md as src/setting.ts has them", () => {
    expect(withSettingsTable(textOf("README.md"))).toBe(textOf("README.md"));
    expect(rowsOf(textOf("README.md")).map(([name]) => name)).toEqual(
      Object.keys(SETTINGS).map((name) => `\`${name}\``),
    );
  });

  it("are all in what --help prints", () => {
    const named = [...settingsHelp().matchAll(/^ {2}([A-Z_]+)/gm)].map(([, name]) => name);
    expect(named).toEqual(Object.keys(SETTINGS));
  });

  it("are only written between their marks", () => {
    expect(() => withSettingsTable("# A page without marks")).toThrow(/marks of the settings table are missing/);
  });

  it("are in .env.example as src/setting.ts has them", () => {
    expect(textOf(".env.example")).toBe(environmentExample());
  });
});

describe("the oldest Redis", () => {
  it("is the same wherever one is named", () => {
    const named = trackedFiles("*.md", "*.ts", "*.yml")
      .flatMap((file) => [...textOf(file).matchAll(/Redis,? (?:version )?(\d[\d.]*) or later/gi)])
      .map(([, version]) => version);
    expect(named.length).toBeGreaterThan(0);
    expect(new Set(named)).toEqual(new Set([String(OLDEST_REDIS)]));
    const image = /image: redis:(\S+)-/.exec(textOf("docker-compose.yml"))?.[1] ?? "";
    expect(isRecentEnough(image)).toBe(true);
  });
});

describe("docs/decisions", () => {
  const records = trackedFiles("docs/decisions/*.md").filter((path) => !path.endsWith("README.md"));

  it("are numbered from 1, without a hole", () => {
    const numbers = records.map((path) => Number(/\/(\d{4})-[a-z0-9-]+\.md$/.exec(path)?.[1]));
    expect(numbers).toEqual(records.map((_, index) => index + 1));
    expect(numbers.length).toBeGreaterThanOrEqual(10);
  });

  it("are all in the index, under their titles", () => {
    const rows = records.map((path) => {
      const [number, title] = /^# (\d+)\. (.+)$/m.exec(textOf(path))?.slice(1) ?? [];
      return `| ${number} | [${title}](${path.slice("docs/decisions/".length)}) |`;
    });
    expect(
      textOf("docs/decisions/README.md")
        .split("\n")
        .filter((line) => /^\| \d/.test(line)),
    ).toEqual(rows);
  });

  it.each(records)("%s tells when, why, what, and what it costs", (path) => {
    const text = textOf(path);
    expect(text).toMatch(/^Decided \d{4}-\d{2}-\d{2}\.$/m);
    expect([...text.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading)).toEqual(["Context", "Choice", "Cost"]);
  });
});

describe("CHANGELOG.md", () => {
  const versions = textOf("CHANGELOG.md").match(/^## .+$/gm) ?? [];

  it("dates every version, the newest first", () => {
    const dates = versions
      .filter((line) => line !== "## [Unreleased]")
      .map((line) => {
        expect(line).toMatch(/^## \[\d+\.\d+\.\d+\] - \d{4}-\d{2}-\d{2}$/);
        return line.slice(-10);
      });
    expect(dates.length).toBeGreaterThan(0);
    expect(dates).toEqual([...dates].sort().reverse());
  });

  it("has the version of package.json", () => {
    const { version } = JSON.parse(textOf("package.json")) as { version: string };
    expect(versions.some((line) => line.startsWith(`## [${version}]`))).toBe(true);
  });
});

describe("the documents", () => {
  const pages = trackedFiles("*.md").filter((path) => !path.startsWith("test/fixture/"));

  it.each(pages)("%s links to files that are there", (page) => {
    const links = [...textOf(page).matchAll(/\]\((?![a-z]+:|#)([^)#\s]+)/g)].map(([, target]) => target ?? "");
    const missing = links.filter((target) => !existsSync(join(ROOT, normalize(join(dirname(page), target)))));
    expect(missing).toEqual([]);
  });

  it("are all reached from README.md", () => {
    const reached = new Set<string>(["README.md"]);
    for (const page of reached) {
      for (const [, target] of textOf(page).matchAll(/\]\((?![a-z]+:|#)([^)#\s]+\.md)/g)) {
        reached.add(normalize(join(dirname(page), target ?? "")));
      }
    }
    expect(pages.filter((page) => page.startsWith("docs/") && !reached.has(page))).toEqual([]);
  });
});
