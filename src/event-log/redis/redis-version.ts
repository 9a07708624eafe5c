import type { Logger } from "pino";
import type { Link } from "./link.ts";

/**
 * The oldest that the service is tested with, and is promised for. Its commands are there from 6.2 on (ZMSCORE, XTRIM
 * with MINID, ZADD with GT); only the doctor's CONFIG GET of several directives is of 7.0.
 */
export const OLDEST_REDIS = 7;

/** Whether INFO's redis_version, which Valkey tells too, is one that the service is promised for. */
export function isRecentEnough(version: string): boolean {
  return Number.parseInt(version, 10) >= OLDEST_REDIS;
}

/** Tells of a Redis that is too old, each time that it is another one. Who may not ask is told nothing. */
export function warnOfOldRedis(link: Link, logger: Pick<Logger, "warn">): void {
  let told: string | undefined;
  link.onReady(() => {
    link
      .run((client) => client.info("server"))
      .then(
        (info) => {
          const version = /^redis_version:(\S+)/m.exec(info)?.[1];
          if (version === undefined || version === told || isRecentEnough(version)) return;
          told = version;
          logger.warn({ version }, `this Redis is too old: use ${OLDEST_REDIS} or later`);
        },
        () => {},
      );
  });
}
