import { isRecentEnough, OLDEST_REDIS } from "../../event-log/redis/redis-version.ts";
import { type Finding, fail, note, ok } from "./finding.ts";

/** Fields of INFO, and the directives of CONFIG GET where that was allowed. */
export interface RedisFacts {
  readonly info: ReadonlyMap<string, string>;
  /** null where the user may not ask, as with most hosted Redis. */
  readonly config: ReadonlyMap<string, string> | null;
}

/** The directives that are judged. */
export const DIRECTIVES = ["appendfsync", "save", "stop-writes-on-bgsave-error"] as const;

/** Part of maxmemory beyond which little is left for a burst, and for the rewriting of the append-only file. */
const FULL = 0.9;

const DOCUMENT = "docs/operating.md tells what it costs";

/** The fields of INFO's answer. */
export function factsOfInfo(text: string): ReadonlyMap<string, string> {
  const fields = text.split(/\r?\n/).flatMap((line) => {
    const colon = line.indexOf(":");
    return colon < 1 || line.startsWith("#") ? [] : [[line.slice(0, colon), line.slice(colon + 1)] as const];
  });
  return new Map(fields);
}

/** Everything by which Redis could lose, or hold back, what the service has been told is kept. */
export function judgeRedis(facts: RedisFacts, minReplicas: number): Finding[] {
  return [
    versionOf(facts),
    roleOf(facts),
    persistenceOf(facts),
    ...lastWrites(facts),
    evictionOf(facts),
    memoryOf(facts),
    replicasOf(facts, minReplicas),
  ];
}

function versionOf({ info }: RedisFacts): Finding {
  const version = info.get("redis_version") ?? "unknown";
  return isRecentEnough(version)
    ? ok("Redis version", version)
    : fail("Redis version", `It is ${version}`, `Use Redis ${OLDEST_REDIS} or later`);
}

function roleOf({ info }: RedisFacts): Finding {
  return info.get("role") === "master"
    ? ok("Redis role", "master")
    : fail(
        "Redis role",
        "It is a replica, which takes no writes",
        "Name the master, or find it by REDIS_SENTINELS or REDIS_CLUSTER",
      );
}

function persistenceOf({ info, config }: RedisFacts): Finding {
  const what = "Redis persistence";
  const appendfsync = config?.get("appendfsync");
  if (info.get("aof_enabled") === "1") {
    if (appendfsync === undefined) return note(what, "appendonly yes; appendfsync could not be read");
    return appendfsync === "no"
      ? fail(what, "appendfsync no leaves the last half minute to the kernel", "Set appendfsync everysec, or always")
      : ok(what, `appendonly yes, appendfsync ${appendfsync}`);
  }
  const save = config?.get("save");
  const remedy = `Set appendonly yes; ${DOCUMENT}`;
  if (save === "") return fail(what, "There is none: whoever restarts Redis empties the log", remedy);
  const alone = save === undefined ? "appendonly no" : "appendonly no, and snapshots alone";
  return fail(what, `${alone}: a crash loses what was acknowledged since the last one`, remedy);
}

function lastWrites({ info, config }: RedisFacts): Finding[] {
  const what = "Redis disk";
  const remedy = "Look at Redis' own log: its disk is full, or may not be written";
  const aofFails = info.get("aof_enabled") === "1" && info.get("aof_last_write_status") === "err";
  if (aofFails) return [fail(what, "The last write of the append-only file failed", remedy)];
  if (info.get("rdb_last_bgsave_status") === "err") return [fail(what, "The last snapshot failed", remedy)];
  if (config?.get("save") && config.get("stop-writes-on-bgsave-error") === "no") {
    return [
      note(what, "stop-writes-on-bgsave-error no: a full disk stays unnoticed", "Set stop-writes-on-bgsave-error yes"),
    ];
  }
  return [];
}

function evictionOf({ info }: RedisFacts): Finding {
  const what = "Redis eviction";
  const policy = info.get("maxmemory_policy");
  if (policy === undefined) {
    return note(what, "maxmemory-policy could not be read", "See to it that it is noeviction");
  }
  if (policy === "noeviction") return ok(what, "maxmemory-policy noeviction");
  const harm = policy.startsWith("volatile-")
    ? "would bring revoked tokens back when memory is short"
    : "deletes keys of the log when memory is short";
  return fail(what, `maxmemory-policy ${policy} ${harm}`, "Set maxmemory-policy noeviction");
}

function memoryOf({ info }: RedisFacts): Finding {
  const what = "Redis memory";
  const used = Number(info.get("used_memory"));
  const most = Number(info.get("maxmemory"));
  if (!Number.isFinite(used) || !Number.isFinite(most)) return note(what, "It could not be read");
  if (most === 0) return ok(what, `${mebibytes(used)} in use, without a maxmemory`);
  const said = `${mebibytes(used)} of ${mebibytes(most)} in use`;
  return used < FULL * most
    ? ok(what, said)
    : fail(what, said, "Raise maxmemory, or lower RETENTION_EVENTS and DEDUPLICATION_EVENTS");
}

function replicasOf({ info }: RedisFacts, minReplicas: number): Finding {
  const what = "Redis replicas";
  const online = [...info].filter(([name, value]) => /^slave\d+$/.test(name) && value.includes("state=online")).length;
  const said = `${online} online, and REDIS_MIN_REPLICAS is ${minReplicas}`;
  if (online < minReplicas) return fail(what, said, "Attach replicas: until then Mandrill is told 503");
  if (online > 0 && minReplicas === 0) {
    return note(what, said, "Set REDIS_MIN_REPLICAS, or a failover may lose what was acknowledged last");
  }
  return ok(what, said);
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}
