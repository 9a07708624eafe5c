import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Environment } from "../../src/config.ts";
import { runCommandLine } from "../harness/command.ts";
import { post, signedForm, unsignedForm } from "../harness/mandrill-post.ts";
import { type ServiceProcess, spawnService } from "../harness/service-process.ts";

const WEBHOOK = { url: "https://hooks.example.com/mandrill", key: "key-of-the-file" };
const LINES = `MANDRILL_WEBHOOK_URLS=${WEBHOOK.url}\nMANDRILL_WEBHOOK_KEYS=${WEBHOOK.key}\nMANDRILL_API_KEY=account\n`;

async function folderWith(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "mandrill-live-env-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, ".env"), text);
  return folder;
}

async function start(folder: string, env: Environment = {}): Promise<ServiceProcess> {
  const service = await spawnService({ folder, env });
  onTestFinished(() => service[Symbol.asyncDispose]());
  return service;
}

const statusOf = async ({ url }: ServiceProcess, batch: Parameters<typeof post>[1]) => (await post(url, batch)).status;

describe(".env in the folder where the service is started", () => {
  it("sets it up in development, without a warning for what only a command reads", async () => {
    const service = await start(await folderWith(LINES));
    expect(await statusOf(service, unsignedForm([]))).toBe(401);
    expect(await statusOf(service, signedForm([], WEBHOOK))).toBe(200);
    expect(service.printed).not.toContain("MANDRILL_API_KEY");
  });

  it("is below the environment, where an empty variable counts too", async () => {
    const folder = await folderWith(LINES);
    const other = await start(folder, { MANDRILL_WEBHOOK_KEYS: "another-key" });
    expect(await statusOf(other, signedForm([], WEBHOOK))).toBe(401);
    expect(await statusOf(other, signedForm([], { ...WEBHOOK, key: "another-key" }))).toBe(200);
    const open = await start(folder, { MANDRILL_WEBHOOK_KEYS: "" });
    expect(await statusOf(open, unsignedForm([]))).toBe(200);
  });

  it("is not read with NODE_ENV=production, by commands neither", async () => {
    const folder = await folderWith(LINES);
    const service = await start(folder, { NODE_ENV: "production" });
    expect(await statusOf(service, unsignedForm([]))).toBe(200);
    const env = { NODE_ENV: "production", MANDRILL_WEBHOOK_KEYS: "only-a-key" };
    const { code, stderr } = await runCommandLine("export", [], { folder, env });
    expect(code).toBe(1);
    expect(stderr).toContain("MANDRILL_WEBHOOK_URLS is not");
  });
});
