import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { askService } from "../../../src/command/control-client.ts";
import { cursorUnknown } from "../../../src/error.ts";
import type { ExportSpan } from "../../../src/graphql/event-export.ts";
import { CONTROL_SOCKET, type ControlSocketOptions, openControlSocket } from "../../../src/http/control-socket.ts";

describe("the control socket", () => {
  let folder: string;
  const warnings: string[] = [];
  const logger = pino({}, { write: (line) => warnings.push(line) });
  const spans: ExportSpan[] = [];
  const copied: string[] = [];
  const options = (path: string): ControlSocketOptions => ({
    path,
    async backUp(file) {
      copied.push(file);
    },
    async *exportEvents(span) {
      spans.push(span);
      if (span.after !== undefined) throw cursorUnknown(null, null);
      yield { lines: "{}\n" };
      if (span.until !== undefined) throw new Error("the log was lost");
    },
    erase: async (email) => (email === "ada@example.com" ? 3 : 0),
    logger,
  });

  /** The whole answer. */
  const ask = async (...request: ["GET" | "POST", path: string, body?: object]): Promise<string> => {
    const answer = await askService(folder, ...request);
    return answer === null ? "nobody answered" : text(answer);
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "mandrill-live-control-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("is its owner's alone, and takes the place of one that was left behind", async () => {
    const path = join(folder, CONTROL_SOCKET);
    await writeFile(path, "");
    const socket = await openControlSocket(options(path));
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await ask("POST", "/backup", { file: "/copy" })).toBe("{}");
    expect(copied).toEqual(["/copy"]);
    expect(await ask("POST", "/erase", { email: "ada@example.com" })).toBe('{"erased":3}');
    expect(await ask("GET", "/export?since=5")).toBe("{}\n");
    expect(spans.at(-1)).toEqual({ since: 5, until: undefined, after: undefined });
    await socket?.close();
  });

  it("tells an export that cannot begin why, and cuts one that cannot go on", async () => {
    const socket = await openControlSocket(options(join(folder, CONTROL_SOCKET)));
    await expect(askService(folder, "GET", "/export?after=x")).rejects.toThrow("This cursor is of another log");
    await expect(askService(folder, "GET", "/elsewhere")).rejects.toThrow("There is nothing here.");
    // As its head is under way or not, the answer ends or there is none.
    await expect(ask("GET", "/export?until=9")).rejects.toThrow(/aborted|broke off/);
    expect(warnings.at(-1)).toContain("the log was lost");
    await socket?.close();
  });

  it("is done without where its path is too long, and the service says so", async () => {
    expect(await openControlSocket(options(join(folder, "x".repeat(100), CONTROL_SOCKET)))).toBeNull();
    expect(warnings.at(-1)).toContain("there is no control socket");
    expect(await askService(join(folder, "nowhere"), "GET", "/export")).toBeNull();
  });
});
