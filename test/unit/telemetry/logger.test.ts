import { describe, expect, it } from "vitest";
import { createLogger, type LoggerSettings } from "../../../src/telemetry/logger.ts";

/** A logger, and the lines that it has written. */
function recorded({ level = "trace", pretty = false }: Partial<LoggerSettings> = {}) {
  const lines: string[] = [];
  const logger = createLogger({ level, pretty, destination: { write: (line) => lines.push(line) } });
  return { logger, lines };
}

describe("the logger", () => {
  it("writes one JSON object a line, with the level by name and the time in RFC 3339", () => {
    const { logger, lines } = recorded();
    logger.info({ port: 4000 }, "listening");
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^\{.*\}\n$/);
    expect(JSON.parse(lines[0] ?? "")).toEqual({
      level: "info",
      time: expect.stringMatching(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/),
      port: 4000,
      msg: "listening",
    });
  });

  it("leaves out what is below its level", () => {
    const { logger, lines } = recorded({ level: "warn" });
    logger.info("not this");
    logger.warn("this");
    expect(lines.map((line) => JSON.parse(line).msg)).toEqual(["this"]);
    expect(recorded({ level: "silent" }).logger.isLevelEnabled("fatal")).toBe(false);
  });

  it.each([
    ["a sentence", "to ada@example.com, at once"],
    ["the first place of a line", "one\nada@example.com"],
    ["quotes", '"ada@example.com"'],
    ["angle brackets", "Mrs A. <ada+news@mail.example.com>"],
    ["letters beyond ASCII", "to zoë@exämple.com"],
    ["backslashes", "C:\\ada@example.com"],
    ["a local name without a dot", "ada@mailhost"],
  ])("lets no address through: %s", (_where, text) => {
    const { logger, lines } = recorded();
    logger.info({ text, nested: { list: [text] } }, text);
    logger.error({ err: new Error(text, { cause: new Error(text) }) }, "failed");
    expect(lines.join("")).not.toMatch(/ada|zoë|example|mailhost/i);
    for (const line of lines) expect(() => JSON.parse(line)).not.toThrow();
  });

  it("hides what JSON.parse quotes of a bad body", () => {
    const { logger, lines } = recorded();
    try {
      JSON.parse("[ada@example.com]");
    } catch (err) {
      logger.warn({ err }, "a body is no JSON");
    }
    expect(lines.join("")).toContain("is not valid JSON");
    expect(lines.join("")).not.toContain("ada@");
  });

  it("hides user and password of a URL and shows where it leads", () => {
    const { logger, lines } = recorded();
    logger.info({ url: "redis://mallory:sesame@example.com:6379/0", other: "https://***@example.com/m" });
    const { url, other } = JSON.parse(lines[0] ?? "");
    expect(url).toBe("redis://***@example.com:6379/0");
    expect(other).toBe("https://***@example.com/m");
  });

  it("hides fields that hold secrets, wherever they stand", () => {
    const { logger, lines } = recorded();
    const secrets = { authorization: "sesame", token: "sesame", key: "sesame", password: "sesame" };
    logger.info({ ...secrets, request: { ...secrets, headers: secrets } }, "asked");
    logger.child(secrets).info("asked");
    expect(lines).toHaveLength(2);
    expect(lines.join("")).not.toContain("sesame");
  });

  it.each([
    ["a JWT", "eyJhbGciOiJIUzI1NiJ9.c2VzYW1l.c2VzYW1l"],
    ["a JWT at a line's beginning", "one\neyJhbGciOiJIUzI1NiJ9.c2VzYW1l.c2VzYW1l"],
    ["a ticket", "/events?email=a&ticket=c2VzYW1l"],
    ["a header", "authorization: Bearer c2VzYW1l"],
  ])("lets no token through: %s", (_what, text) => {
    const { logger, lines } = recorded();
    logger.info({ text, nested: { list: [text] } }, text);
    logger.error({ err: new Error(text) }, "failed");
    expect(lines.join("")).not.toContain("c2VzYW1l");
    for (const line of lines) expect(() => JSON.parse(line)).not.toThrow();
  });

  it("writes a long line without an address in a moment", () => {
    const { logger, lines } = recorded();
    const text = `${"a".repeat(1_000_000)} @ ${"://".repeat(100_000)}`;
    const began = performance.now();
    logger.info({ text });
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(JSON.parse(lines[0] ?? "").text).toBe(text);
  });
});

describe("the logger in a terminal", () => {
  it("writes time, level, sentence and fields", () => {
    const { logger, lines } = recorded({ pretty: true });
    logger.warn({ attempt: 3, why: { code: "X" } }, "the log is away");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control sequences
    const plain = (lines[0] ?? "").replace(/\u001b\[\d+m/g, "");
    expect(plain).toMatch(/^\d{2}:\d{2}:\d{2}\.\d{3} warn {2}the log is away attempt=3 why=\{"code":"X"\}\n$/);
  });

  it("writes an error's stack below it", () => {
    const { logger, lines } = recorded({ pretty: true });
    logger.error({ err: new Error("no way") }, "failed");
    expect(lines[0]).toMatch(/failed\n {4}Error: no way\n {8}at /);
  });

  it("writes text from outside so that it can neither steer the terminal nor pass for a line of its own", () => {
    const { logger, lines } = recorded({ pretty: true });
    logger.info({ agent: "a\u001b[2Jb\n00:00:00.000 error forged\u009b2J" }, "asked\r\n");
    const line = lines[0] ?? "";
    expect(line.trimEnd()).not.toMatch(/[\n\r]/);
    expect(line).not.toContain("\u001b[2J");
    expect(line).not.toContain("\u009b");
    expect(line).toContain("\\x1b[2Jb\\x0a");
  });

  it("lets no address through either", () => {
    const { logger, lines } = recorded({ pretty: true });
    logger.error({ err: new Error("to ada@example.com") }, "ada@example.com");
    expect(lines.join("")).not.toContain("ada@");
  });
});
