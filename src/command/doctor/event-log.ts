import type { Config } from "../../config.ts";
import { createLogger } from "../../telemetry/logger.ts";
import { type Finding, fail, ok, saidOf } from "./finding.ts";
import { lookAtRedis, REDIS_LOG } from "./redis-log.ts";
import type { Readiness } from "./running-service.ts";
import { holderOf, lookAtDisk, lookAtNewFolder } from "./sqlite-log.ts";

const WHAT = "event log";

/** Whether the event log takes a write and gives it back, and what it is worth. */
export async function lookAtEventLog(config: Config, readiness: Readiness): Promise<Finding[]> {
  const { eventLog } = config;
  if (eventLog.kind === "redis") {
    const redis = await lookAtRedis(eventLog);
    return isOfOtherLayout(redis) ? redis : [await write(config), ...redis];
  }
  const holder = await holderOf(eventLog.dataDir);
  const disk = await lookAtDisk(eventLog.dataDir);
  if (holder === "no file") return [await lookAtNewFolder(eventLog.dataDir), ...disk];
  return [holder === "service" ? askedService(readiness) : await write(config), ...disk];
}

/** Such a log is not written to: what is to be done is said of it already. */
function isOfOtherLayout(redis: readonly Finding[]): boolean {
  return redis.some(({ what, state }) => what === REDIS_LOG && state === "fail");
}

/** Writes what is no event, durably, and reads it: what is refused here is refused to Mandrill too. */
async function write(config: Config): Promise<Finding> {
  const [name, remedy] =
    config.eventLog.kind === "redis"
      ? [
          "Redis",
          "See that Redis is there, and that REDIS_URL and its like lead to a master that this user may write to",
        ]
      : ["SQLite", "See that no other process uses DATA_DIR, and that the service's user may write there"];
  // Only here, for it brings the whole service along.
  const { openEventLog } = await import("../../service.ts");
  try {
    const eventLog = await openEventLog(
      config.eventLog,
      config.limits,
      createLogger({ level: "silent", pretty: false }),
    );
    try {
      await eventLog.check();
    } finally {
      await eventLog.close();
    }
    return ok(WHAT, `${name} takes writes`);
  } catch (error) {
    return fail(WHAT, `${name}: ${saidOf(error)}`, remedy);
  }
}

/** The file is the service's alone: it says itself how its log is. */
function askedService({ answered, checks }: Readiness): Finding {
  const check = checks.eventLog;
  if (check?.ok === true) return ok(WHAT, "SQLite: held by the running service, which says that it takes writes");
  const said = answered ? (check?.reason ?? "it does not tell").replace(/\.$/, "") : "it does not answer on its port";
  return fail(
    WHAT,
    `SQLite: held by a running service, and ${said}`,
    "Look at the service's log, and at PORT and HOST",
  );
}
