import { execFile } from "node:child_process";
import { appendFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const command = fileURLToPath(new URL("../../../src/command/print-schema.ts", import.meta.url));
const committed = fileURLToPath(new URL("../../../schema.graphql", import.meta.url));

/** Resolves to the exit code and what was said. */
async function printSchema(...args: string[]): Promise<{ code: number; stderr: string }> {
  try {
    const { stderr } = await promisify(execFile)(process.execPath, [command, ...args]);
    return { code: 0, stderr };
  } catch (error) {
    return error as { code: number; stderr: string };
  }
}

describe("print-schema", () => {
  it("finds schema.graphql current", async () => {
    expect(await printSchema("--check")).toEqual({ code: 0, stderr: "" });
  });

  it("prints to a file, and ends with 1 once the file is stale or gone", async () => {
    const folder = await mkdtemp(join(tmpdir(), "mandrill-live-schema-"));
    try {
      const file = join(folder, "schema.graphql");
      expect(await printSchema(file)).toMatchObject({ code: 0 });
      expect(await readFile(file, "utf8")).toBe(await readFile(committed, "utf8"));
      await appendFile(file, "type Stale { field: Int }\n");
      expect(await printSchema("--check", file)).toMatchObject({
        code: 1,
        stderr: expect.stringContaining("npm run schema"),
      });
      await rm(file);
      expect(await printSchema("--check", file)).toMatchObject({ code: 1 });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
