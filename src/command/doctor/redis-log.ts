import { Cluster } from "ioredis";
import type { EventLogConfig } from "../../config.ts";
import type { RedisClient } from "../../event-log/redis/connection.ts";
import { createKeys } from "../../event-log/redis/keys.ts";
import { openLink } from "../../event-log/redis/link.ts";
import { FORMER_LAYOUT, LAYOUT } from "../../event-log/redis/log-state.ts";
import { judgeClock } from "./clock.ts";
import { type Finding, fail, note, ok, saidOf } from "./finding.ts";
import { DIRECTIVES, factsOfInfo, judgeRedis } from "./redis-info.ts";

/** Milliseconds for an answer. */
const TIMEOUT = 4_500;

/** What Redis says of itself: how it keeps the log, and what time it has. Nothing where it cannot be reached. */
export async function lookAtRedis({
  connection,
  prefix,
  minReplicas,
}: Extract<EventLogConfig, { kind: "redis" }>): Promise<Finding[]> {
  const link = openLink(connection, "doctor", TIMEOUT);
  /** null where Redis refuses. */
  const ask = async <T>(question: (client: RedisClient) => Promise<T>): Promise<T | Error> =>
    link.run(question).catch((error: Error) => error);
  try {
    const keys = createKeys(prefix);
    const meta = await ask((client) => client.hmget(keys.meta, "layout", "oldest", "number"));
    const formerIndex = await ask((client) => client.exists(keys.formerTerms));
    const log = meta instanceof Error ? [] : [judgeLog(meta, formerIndex === 1)];
    const infos = await ask((client) => Promise.all(nodesOf(client).map((node) => node.info())));
    if (infos instanceof Error) {
      return [
        ...log,
        note(
          "Redis settings",
          `They could not be read: ${saidOf(infos)}`,
          "Let this user call INFO, or see docs/operating.md for what to set",
        ),
      ];
    }
    const configs = await ask((client) =>
      Promise.all(nodesOf(client).map((node) => node.config("GET", ...DIRECTIVES))),
    );
    const judged = infos.map((info, i) => {
      const directives = configs instanceof Error ? null : pairsOf(configs[i] as string[]);
      return judgeRedis({ info: factsOfInfo(info), config: directives }, minReplicas);
    });
    const refused =
      configs instanceof Error
        ? [
            note(
              "Redis CONFIG",
              `It could not be read: ${saidOf(configs)}`,
              "What INFO does not tell has to be looked up where this Redis is set up",
            ),
          ]
        : [];
    const before = Date.now();
    const time = await ask((client) => client.time());
    const clock = time instanceof Error ? [] : [judgeClock("Redis", timeOf(time), (before + Date.now()) / 2)];
    return [...log, ...refused, ...worst(judged), ...clock];
  } finally {
    await link.close();
  }
}

/** What the finding is of that says whether this version can use the log. */
export const REDIS_LOG = "Redis log";

/** What is kept under the prefix, by the meta hash, and by whether there is something of the former layout's index. */
function judgeLog([layout, oldest, number]: readonly (string | null | undefined)[], hasFormerIndex: boolean): Finding {
  const what = REDIS_LOG;
  if (layout == null) return ok(what, "There is none yet under this prefix; the first use makes it");
  const held = `Layout ${layout}, ${Number(number) - Number(oldest) + 1} entries`;
  if (layout === LAYOUT && hasFormerIndex) {
    return note(
      what,
      `${held}: a conversion was cut off, and has left a part of the former index`,
      "Run npm run convert",
    );
  }
  if (layout === LAYOUT) return ok(what, held);
  if (layout === FORMER_LAYOUT) {
    return note(
      what,
      `${held}: it is kept as the version before has it`,
      "Run npm run convert once every instance is of this version: docs/operating.md tells what it does",
    );
  }
  return fail(
    what,
    `It has layout ${layout}, and this version knows ${FORMER_LAYOUT} and ${LAYOUT}`,
    layout === "moving"
      ? "Run npm run move again, to its end"
      : "Start the version that wrote it, or a later one, or set another REDIS_PREFIX",
  );
}

/** Every node that may have the log: in a cluster any master may be given its slot. */
function nodesOf(client: RedisClient) {
  return client instanceof Cluster ? client.nodes("master") : [client];
}

/** One finding for each thing that was looked at on every node, the worst of them. */
function worst(judged: readonly (readonly Finding[])[]): Finding[] {
  const found = new Map<string, Finding>();
  for (const finding of judged.flat()) {
    const known = found.get(finding.what);
    if (known === undefined || rank(finding) > rank(known)) found.set(finding.what, finding);
  }
  return [...found.values()];
}

function rank({ state }: Finding): number {
  return ["ok", "note", "fail"].indexOf(state);
}

function pairsOf(reply: readonly string[]): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>();
  for (let i = 0; i + 1 < reply.length; i += 2) pairs.set(reply[i] as string, reply[i + 1] as string);
  return pairs;
}

/** Milliseconds since the Unix epoch. */
function timeOf([seconds, microseconds]: readonly (string | number)[]): number {
  return Number(seconds) * 1_000 + Number(microseconds) / 1_000;
}
