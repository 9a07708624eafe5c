import type { Config } from "../config.ts";
import { UsageError } from "./command-line.ts";

/** Where the service of this machine is, with these settings, its base path included; without a slash at its end. */
export function serviceAddress({ http }: Pick<Config, "http">): string {
  if (http.port === 0) throw new UsageError("PORT is 0, so nobody knows where the service listens: give --url.");
  // An address that stands for all of them is no address to ask.
  const host = ["0.0.0.0", "::", "[::]"].includes(http.host) ? "127.0.0.1" : http.host;
  return `http://${host.includes(":") && !host.startsWith("[") ? `[${host}]` : host}:${http.port}${http.basePath}`;
}
