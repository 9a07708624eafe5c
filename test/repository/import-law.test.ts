import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { ROOT, textOf, trackedFiles } from "./tracked-files.ts";

/** What each room may import besides its own files: CONTRIBUTING.md, law 5. */
const LAW: Readonly<Record<string, readonly string[]>> = {
  event: [],
  telemetry: [],
  "event-log": ["event", "telemetry"],
  access: ["event", "telemetry", "event-log"],
  hub: ["event", "telemetry", "event-log"],
  mandrill: ["event", "telemetry", "event-log", "access", "hub"],
  graphql: ["event", "telemetry", "event-log", "access", "hub"],
  http: ["event", "telemetry", "event-log", "access", "hub", "mandrill", "graphql"],
  socket: ["event", "telemetry", "event-log", "access", "hub", "mandrill", "graphql"],
};
const ROOMS = Object.keys(LAW);

/** Files of one statement each, by path, and whether the law refuses them. */
const probes = new Map<string, { readonly code: string; readonly refused: boolean }>();

function probe(folder: string, code: string, refused: boolean): void {
  probes.set(`${folder}/probe-${probes.size}.ts`, { code, refused });
}

for (const room of ROOMS) {
  const folder = `src/${room}`;
  for (const other of ROOMS.filter((name) => name !== room)) {
    const refused = !LAW[room]?.includes(other);
    probe(folder, `import "../${other}/station.ts";`, refused);
    probe(folder, `import type { Thing } from "../${other}/station.ts";`, refused);
  }
  for (const above of ["main.ts", "service.ts", "setting.ts", "command/print-schema.ts", "unheard-of/room.ts"]) {
    probe(folder, `import type { Thing } from "../${above}";`, true);
  }
  probe(folder, 'import { ServiceError } from "../error.ts";', room === "event");
  probe(folder, 'import type { Config } from "../config.ts";', room === "event");
  probe(folder, 'import { station } from "./station.ts";', false);
  probe(folder, 'import { createHash } from "node:crypto";', false);
  probe(folder, 'import type { Thing } from "../../test/harness/thing.ts";', true);
  probe(folder, 'import type { Thing } from "../../bench/thing.ts";', true);
  probe(folder, `import type { Thing } from "../event/../${room === "http" ? "socket" : "http"}/thing.ts";`, true);
  probe(folder, 'import type { Thing } from "./../main.ts";', true);
  probe(folder, 'export type { Thing } from "../main.ts";', true);
  probe(folder, 'export const thing = await import("../main.ts");', true);
  probe(folder, 'import { env } from "node:process";', true);
  probe(folder, "export const port = process.env.PORT;", true);
  probe(folder, 'import { WebSocketServer } from "ws";', room !== "socket");
  if (room !== "event-log") {
    probe(folder, 'import { Redis } from "ioredis";', true);
    probe(folder, 'import { RedisPubSub } from "graphql-redis-subscriptions";', true);
    probe(folder, 'import { DatabaseSync } from "node:sqlite";', true);
    // What stands behind the interface is for the composition root alone.
    if (room !== "event") probe(folder, 'import type { Thing } from "../event-log/redis/thing.ts";', true);
  }
}
for (const [log, other] of [
  ["redis", "sqlite"],
  ["sqlite", "redis"],
]) {
  probe(`src/event-log/${log}`, 'import type { EventLog } from "../event-log.ts";', false);
  probe(`src/event-log/${log}`, 'import type { Event } from "../../event/event.ts";', false);
  probe(`src/event-log/${log}`, `import type { Thing } from "../${other}/thing.ts";`, true);
  probe(`src/event-log/${log}`, 'import type { Hub } from "../../hub/hub.ts";', true);
}
probe("src/graphql/type", 'import { builder } from "../builder.ts";', false);
probe("src/graphql/type", 'import type { Hub } from "../../hub/hub.ts";', false);
probe("src/graphql/type", 'import type { Thing } from "../../mandrill/thing.ts";', true);
probe("src/unheard-of", 'import type { Event } from "../event/event.ts";', true);
probe("src/command", 'import { schema } from "../graphql/schema.ts";', false);
probe("src/command", 'import type { Thing } from "../main.ts";', true);
probe("src/command", "export const port = process.env.PORT;", false);
probe("src/command/doctor", 'import type { Config } from "../../config.ts";', false);
probe("src/command/doctor", 'import type { Thing } from "../../main.ts";', true);
probe("src/command/doctor", 'import type { Thing } from "../../../test/thing.ts";', true);
probe("client", 'import type { Event } from "../src/event/event.ts";', true);
probe("client", 'import type { Client } from "graphql-ws";', false);
probe("dashboard", 'import type { Event } from "../src/event/event.ts";', true);
probe("dashboard", 'import { fixture } from "../test/harness/fixture.ts";', true);
probe("dashboard", 'import { readFile } from "node:fs/promises";', true);
probe("dashboard", 'import { createResumingClient } from "../client/resuming-client.ts";', false);
probe("dashboard", 'import { Client } from "urql";', false);

const SINGLE: readonly (readonly [path: string, code: string, refused: boolean])[] = [
  ["src/error.ts", 'import type { Event } from "./event/event.ts";', true],
  ["src/config.ts", 'import type { LogLimits } from "./event-log/event-log.ts";', false],
  ["src/config.ts", 'import type { Hub } from "./hub/hub.ts";', true],
  ["src/config.ts", "export const port = process.env.PORT;", true],
  ["src/service.ts", 'import { createHub } from "./hub/hub.ts";', false],
  ["src/service.ts", 'import type { Thing } from "./main.ts";', true],
  ["src/service.ts", "export const port = process.env.PORT;", true],
  ["src/main.ts", 'import { startService } from "./service.ts";', false],
  ["src/main.ts", 'import { settledEnvironment } from "./env-file.ts";', false],
  ["src/main.ts", "export const port = process.env.PORT;", false],
  ["src/env-file.ts", "export const port = process.env.PORT;", true],
  ["src/main.ts", 'import { createHub } from "./hub/hub.ts";', true],
];

/** Paths of the files among `files` in which Biome, under this repository's rules, finds the law broken. */
async function refusedAmong(files: ReadonlyMap<string, string>): Promise<ReadonlySet<string>> {
  const folder = await mkdtemp(join(tmpdir(), "mandrill-live-law-"));
  try {
    await copyFile(`${ROOT}biome.json`, join(folder, "biome.json"));
    for (const [path, code] of files) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), `${code}\n`);
    }
    return await refusedIn(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const RULES = new Set(["noRestrictedImports", "noRestrictedGlobals", "noImportCycles"]);

/** Paths of the files in a folder in which Biome finds the law broken. */
async function refusedIn(folder: string): Promise<ReadonlySet<string>> {
  const command = [`${ROOT}node_modules/@biomejs/biome/bin/biome`, "lint", "--reporter=json", "--max-diagnostics=none"];
  // It ends with 1 where it has found something; its report stands on standard output either way.
  const { stdout } = await promisify(execFile)(process.execPath, command, {
    cwd: folder,
    maxBuffer: 16 * 1024 * 1024,
  }).catch((error: { stdout: string }) => error);
  const { diagnostics } = JSON.parse(stdout) as {
    diagnostics: readonly { category: string; location: { path: string } }[];
  };
  const broken = diagnostics.filter(({ category }) => RULES.has(category.split("/").at(-1) ?? ""));
  return new Set(broken.map(({ location }) => location.path));
}

describe("the law of imports", () => {
  let refused: ReadonlySet<string>;

  beforeAll(async () => {
    refused = await refusedAmong(new Map([...probes].map(([path, { code }]) => [path, code])));
  });

  const folders = [...new Set([...probes.keys()].map(dirname))];
  it.each(folders)("bites in %s, and lets through what it allows", (folder) => {
    const here = [...probes].filter(([path]) => dirname(path) === folder);
    expect(here.filter(([path]) => refused.has(path)).map(([, { code }]) => code)).toEqual(
      here.filter(([, wanted]) => wanted.refused).map(([, { code }]) => code),
    );
  });

  it.each(SINGLE)("judges %s: %s", async (path, code, wanted) => {
    expect((await refusedAmong(new Map([[path, code]]))).has(path)).toBe(wanted);
  });

  it("is kept by the whole tree", async () => {
    expect([...(await refusedIn(ROOT))]).toEqual([]);
  });

  it("knows every room of src", () => {
    const rooms = new Set(trackedFiles("src/*/*").map((path) => path.split("/")[1] ?? ""));
    expect([...rooms].filter((room) => room !== "command").sort()).toEqual([...ROOMS].sort());
  });

  it("sees every import: none is spelled so that it cannot be read", () => {
    // Type queries and computed paths are what noRestrictedImports does not look at.
    const unseen = /(?<!await )\bimport\((?!\.)|\bimport\(\s*[^"'\s]|\brequire\(|\bglobalThis\.process\b|from "\//;
    const files = trackedFiles("src/*.ts");
    expect(files.length).toBeGreaterThan(10);
    expect(files.filter((path) => unseen.test(textOf(path)))).toEqual([]);
  });
});
