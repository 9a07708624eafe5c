import type { SettingName, SettingValues } from "./setting.ts";

/** Any of these keeps strangers from reading. */
const ACCESS_RULES = ["ACCESS_TOKENS", "JWT_JWKS_URL", "JWT_SECRET", "JWT_PUBLIC_KEY"] as const;

/**
 * What would stand open to everybody, were the service to listen where `HOST` tells it to: a sentence, or nothing.
 * A value that could not be read is undefined, and told of elsewhere.
 */
export function exposures(
  { HOST: host, ALLOW_OPEN: allowOpen }: Partial<SettingValues>,
  isSet: (name: SettingName) => boolean,
): string[] {
  if (host === undefined || allowOpen === true || isLoopback(host)) return [];
  const missing: string[] = [];
  if (!isSet("MANDRILL_WEBHOOK_KEYS")) {
    missing.push("MANDRILL_WEBHOOK_KEYS is not set, so anybody could post events");
  }
  if (!ACCESS_RULES.some(isSet)) missing.push(`none of ${ACCESS_RULES.join(", ")} is set, so anybody could read them`);
  if (missing.length === 0) return [];
  return [
    `HOST is ${host}, which other machines reach, and ${missing.join("; and ")}. ` +
      "Set what is missing, or ALLOW_OPEN=1 where something else keeps strangers out.",
  ];
}

/** Whether an address is reached from this machine alone; a name may be anywhere but for `localhost`. */
function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}
