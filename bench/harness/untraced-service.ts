import { cpSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "./redis.ts";

const PROJECT = fileURLToPath(new URL("../../", import.meta.url));

/** Everything that tracing adds to the way of a batch, and what stands there without it. */
const CUTS: readonly (readonly [file: string, traced: RegExp, untraced: string])[] = [
  ["src/mandrill/webhook.ts", /^ +const \{ span \} = progress;\n/m, ""],
  ["src/mandrill/webhook.ts", /^ +if \(span === null\) \{\n(.*?)^ +\}\n.*?^ +return span\.within\(.*?\);\n/ms, "$1"],
  ["src/mandrill/webhook.ts", /^ +const span = .*\n/m, ""],
  ["src/mandrill/webhook.ts", /received: null, span \}/, "received: null } as RequestProgress"],
  ["src/mandrill/webhook.ts", /^ +span\?\.end\("CLIENT_GONE".*\n/m, ""],
  ["src/mandrill/webhook.ts", /^ +span\?\.end\(isRefused.*\n/m, ""],
  ["src/mandrill/raw-events.ts", /(encode\(\{.*) traceParent,/, "$1"],
  ["src/mandrill/raw-events.ts", /^ +const trace = traceParent === .*\n/m, ""],
  ["src/mandrill/raw-events.ts", /(JSON\.stringify\(webhook\)\},)\$\{trace\}/, "$1"],
  ["src/mandrill/raw-events.ts", /(const \{.*) traceParent,/, "$1"],
  ["src/mandrill/raw-events.ts", /return traceParent === undefined \? event : .*;/, "return event;"],
  ["src/service-watch.ts", /^ +if \(tracing === null\) return;\n.*?^ +tracing\.delivered\(.*?\);\n/ms, ""],
];

/**
 * Copies the service's sources and cuts tracing out of them; returns the copy's `main.ts`. Throws where a cut does not
 * fit: the sources have changed, and it would no longer be all of tracing that is missing.
 */
export function untracedService(): string {
  const folder = temporaryFolder();
  for (const copied of ["src", "package.json"])
    cpSync(join(PROJECT, copied), join(folder, copied), { recursive: true });
  symlinkSync(join(PROJECT, "node_modules"), join(folder, "node_modules"));
  for (const [file, traced, untraced] of CUTS) {
    const path = join(folder, file);
    const text = readFileSync(path, "utf8");
    const cut = text.replace(traced, untraced);
    if (cut === text || traced.test(cut)) throw new Error(`${file} has no longer, or more than once, ${traced}`);
    writeFileSync(path, cut);
  }
  return join(folder, "src/main.ts");
}
