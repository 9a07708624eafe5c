import { describe, expect, it } from "vitest";
import type { Finding } from "../../../../src/command/doctor/finding.ts";
import { factsOfInfo, judgeRedis } from "../../../../src/command/doctor/redis-info.ts";

const INFO = [
  "# Server",
  "redis_version:7.2.4",
  "",
  "# Memory",
  "used_memory:1048576",
  "maxmemory:4194304",
  "maxmemory_policy:noeviction",
  "# Persistence",
  "aof_enabled:1",
  "aof_last_write_status:ok",
  "rdb_last_bgsave_status:ok",
  "# Replication",
  "role:master",
  "slave0:ip=192.0.2.7,port=6379,state=online,offset=1,lag=0",
  "slave1:ip=192.0.2.8,port=6379,state=wait_bgsave,offset=0,lag=0",
].join("\r\n");
const CONFIG = { appendfsync: "everysec", save: "60 1", "stop-writes-on-bgsave-error": "yes" };

function judged(
  info: Readonly<Record<string, string>> = {},
  config: Readonly<Record<string, string>> | null = {},
  minReplicas = 1,
): readonly Finding[] {
  const facts = new Map([...factsOfInfo(INFO), ...Object.entries(info)]);
  const directives = config === null ? null : new Map(Object.entries({ ...CONFIG, ...config }));
  return judgeRedis({ info: facts, config: directives }, minReplicas);
}

/** Those that are not in order: what and how. */
function odd(findings: readonly Finding[]): readonly string[] {
  return findings.filter(({ state }) => state !== "ok").map(({ state, what, said }) => `${state} ${what}: ${said}`);
}

describe("what Redis says of itself", () => {
  it("is judged thing by thing", () => {
    expect(odd(judged())).toEqual([]);
    expect(judged().map(({ said }) => said)).toEqual([
      "7.2.4",
      "master",
      "appendonly yes, appendfsync everysec",
      "maxmemory-policy noeviction",
      "1.0 MiB of 4.0 MiB in use",
      "1 online, and REDIS_MIN_REPLICAS is 1",
    ]);
  });

  it.each([
    [{ redis_version: "6.0.16" }, {}, /^fail Redis version: It is 6.0.16/],
    [{ aof_last_write_status: "err" }, {}, /^fail Redis disk: The last write/],
    [{ rdb_last_bgsave_status: "err" }, {}, /^fail Redis disk: The last snapshot/],
    [{}, { "stop-writes-on-bgsave-error": "no" }, /^note Redis disk: stop-writes/],
    [{ used_memory: "3984588" }, {}, /^fail Redis memory: 3.8 MiB of 4.0 MiB/],
    [{ maxmemory_policy: "volatile-lru" }, {}, /^fail Redis eviction: .*revoked tokens/],
  ] as const)("shows in %o %o what is wrong", (info, config, found) => {
    expect(odd(judged(info, config))).toEqual([expect.stringMatching(found)]);
  });

  it("is too little where CONFIG is refused, and that is said", () => {
    expect(odd(judged({}, null))).toEqual(["note Redis persistence: appendonly yes; appendfsync could not be read"]);
    expect(odd(judged({ aof_enabled: "0" }, null))).toEqual([expect.stringMatching(/^fail Redis persistence/)]);
  });

  it("every failure has a remedy", () => {
    const broken = judged({ role: "slave", aof_enabled: "0", maxmemory_policy: "allkeys-lfu" }, { save: "" }, 2);
    const failures = broken.filter(({ state }) => state === "fail");
    expect(failures).toHaveLength(4);
    for (const { remedy } of failures) expect(remedy).toMatch(/^[A-Z].*[^.]$/);
  });
});
