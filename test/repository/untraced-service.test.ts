import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { untracedService } from "../../bench/harness/untraced-service.ts";

it("the bench's service without tracing has nothing left of it on the way of a batch", async () => {
  const main = untracedService();
  for (const file of ["mandrill/webhook.ts", "mandrill/raw-events.ts", "service-watch.ts"]) {
    const text = await readFile(main.replace("main.ts", file), "utf8");
    // Types, and what a service is put together from, cost nothing then.
    expect(text, file).not.toMatch(/\bspan\??\.|\btracing\??\.(?!ts)|[{ (]traceParent\b(?!\?:)/);
  }
});
