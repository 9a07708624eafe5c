import type { IncomingMessage } from "node:http";

/** Where probes ask, which know nothing of the folder that a proxy serves us under: they are there with it and without. */
const PROBED: ReadonlySet<string> = new Set(["/health", "/ready"]);

/** How a request stands to the folder that all is served under. */
export type Place = "within" | "at-its-edge" | "outside";

/**
 * Takes `basePath` off a request's URL, so that nothing behind it knows of the folder. `at-its-edge` is the folder
 * without its slash, from which relative links would lead out of it.
 *
 * @param basePath such as `/mail`; empty where all is served from the root
 */
export function enterBasePath(request: IncomingMessage, basePath: string): Place {
  if (basePath === "") return "within";
  const url = request.url ?? "/";
  if (url.startsWith(`${basePath}/`)) {
    request.url = url.slice(basePath.length);
    return "within";
  }
  const path = url.split("?", 1)[0] as string;
  if (path === basePath) return "at-its-edge";
  return PROBED.has(path) ? "within" : "outside";
}
