import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { text as textOf } from "node:stream/consumers";
import { decodeJwt } from "jose";
import { jwtId, revocableJti } from "../access/jwt.ts";
import { staticTokenId } from "../access/static-tokens.ts";
import { type Config, loadConfig } from "../config.ts";
import { settledEnvironment } from "../env-file.ts";
import { openRedisEventLog } from "../event-log/redis/redis-event-log.ts";
import { openRevokedTokens, revokedTokensPath } from "../event-log/sqlite/revoked-tokens.ts";
import { LOG_FILE } from "../event-log/sqlite/sqlite-event-log.ts";
import { type SettingKind, text } from "../setting-kind.ts";
import { optionValue, runCommand, UsageError } from "./command-line.ts";

const HELP = `Revokes a token: every instance ends its connections and refuses it within 2 s.

  npm run revoke -- --jti ID
  npm run revoke -- --token-stdin < file

  --jti ID        the claim jti of the token (JWT)
  --token-stdin   reads the token itself, which is then in no list of processes and no history of commands;
                  for a token without jti, and for one of ACCESS_TOKENS until it is taken out of that setting
  --until TIME    when it may be forgotten, such as 2026-12-31T00:00:00Z [when the token expires; ten years where that
                  is not known: it must not be earlier, or the token holds again]

Which event log: as the service, by the environment and .env. It may be running.
`;

const OPTIONS = {
  jti: { type: "string" },
  "token-stdin": { type: "boolean" },
  until: { type: "string" },
} as const;

/** For a token of which it is not known when it expires: an entry is some bytes. Milliseconds. */
const TEN_YEARS = 10 * 365 * 86_400_000;

const TIME: SettingKind<number> = {
  allowed: "a time to come, such as 2026-12-31T00:00:00Z",
  parse(given) {
    const time = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?$/.test(given)
      ? Date.parse(given)
      : Number.NaN;
    return time > Date.now() ? time : undefined;
  },
};

interface RevokedToken {
  readonly id: string;
  /** Milliseconds since the Unix epoch; undefined where that is not known. */
  readonly expiresAt?: number | undefined;
}

await runCommand({
  name: "revoke",
  help: HELP,
  options: OPTIONS,
  async run({ jti, "token-stdin": fromStdin = false, until: untilOption }) {
    const given = optionValue("jti", jti, text("the jti of a token", /^.+$/));
    if ((given === undefined) !== fromStdin) throw new UsageError("Give either --jti or --token-stdin.");
    const end = optionValue("until", untilOption, TIME);
    const config = loadConfig(await settledEnvironment(process.env));
    const { id, expiresAt } =
      given === undefined ? tokenOf((await textOf(process.stdin)).trim(), config) : { id: revocableJti(given) };
    const until = Math.floor(end ?? expiresAt ?? Date.now() + TEN_YEARS);
    await revoke(config, id, until);
    process.stdout.write(`Revoked until ${new Date(until).toISOString()}; it holds nowhere 2 s from now.\n`);
    return 0;
  },
});

function tokenOf(token: string, config: Config): RevokedToken {
  if (token === "") throw new UsageError("There is no token on standard input.");
  if (config.access?.tokens.includes(token)) return { id: staticTokenId(token) };
  try {
    const claims = decodeJwt(token);
    return { id: jwtId(claims, token), expiresAt: claims.exp === undefined ? undefined : claims.exp * 1_000 };
  } catch (error) {
    throw new UsageError("What is on standard input is neither one of ACCESS_TOKENS nor a JWT.", { cause: error });
  }
}

async function revoke({ eventLog: config, limits }: Config, tokenId: string, until: number): Promise<void> {
  if (config.kind === "redis") {
    const { connection, prefix, minReplicas } = config;
    const eventLog = openRedisEventLog({ connection, prefix, limits, minReplicas });
    try {
      await eventLog.revoke(tokenId, until);
    } finally {
      await eventLog.close();
    }
    return;
  }
  await mkdir(config.dataDir, { recursive: true });
  const tokens = openRevokedTokens(revokedTokensPath(join(config.dataDir, LOG_FILE)));
  try {
    tokens.revoke(tokenId, until);
  } finally {
    tokens.close();
  }
}
