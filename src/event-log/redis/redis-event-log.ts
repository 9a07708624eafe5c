import type { Logger } from "pino";
import type { RedisConnection } from "../../config.ts";
import type { Position } from "../../event/cursor.ts";
import { type StoredForm, WHOLE_EVENTS } from "../../event/stored-event.ts";
import type { WebhookRequest } from "../../event/webhook-request.ts";
import { type EventLog, type LogLimits, WEBHOOK_REQUESTS_KEPT } from "../event-log.ts";
import { logSecret } from "../log-secret.ts";
import { createAppend } from "./append.ts";
import { newEpoch, newLog } from "./candidate.ts";
import { createClient } from "./connection.ts";
import { eraseFromConversion } from "./conversion.ts";
import { createCount } from "./counting.ts";
import { createErase } from "./erasing.ts";
import { createFind } from "./finding.ts";
import { tellOfFormerLayout } from "./former-notice.ts";
import { createIndexes } from "./indexes.ts";
import { CHECK_EXPIRY, createKeys } from "./keys.ts";
import { createLink, openLink } from "./link.ts";
import { createLogStates, headOf, refuseOtherLayout } from "./log-state.ts";
import { createOwnBatches } from "./own-batches.ts";
import { resultsOf } from "./pipeline.ts";
import { createReading } from "./reading.ts";
import { warnOfOldRedis } from "./redis-version.ts";
import { createReplicas } from "./replicas.ts";
import { createRetention } from "./retention.ts";
import { readRevokedTokens, revokeToken } from "./revoked-tokens.ts";
import { SCRIPTS } from "./script.ts";
import { createScrub } from "./scrubbing.ts";
import { TAIL_BYTES } from "./sealing.ts";
import { createWakeUps } from "./wake-ups.ts";

export interface RedisEventLogOptions {
  readonly connection: RedisConnection;
  /** Begins every key and the channel; without braces. */
  readonly prefix: string;
  readonly limits: LogLimits;
  /** How events are kept. @default WHOLE_EVENTS */
  readonly form?: StoredForm | undefined;
  readonly logger?: Pick<Logger, "warn" | "info"> | undefined;
  /** Replicas that must have a batch before its append resolves. @default 0 */
  readonly minReplicas?: number | undefined;
  /** Milliseconds after which a method rejects. @default 4500: the answer is out within 5 s */
  readonly commandTimeoutMs?: number | undefined;
  /** Bytes from which on the index's tail is made into blocks. @default TAIL_BYTES */
  readonly tailBytes?: number | undefined;
}

/** Part of the command timeout for one wait for replicas: two of them, and the append, fit into it. */
const REPLICA_WAIT = 0.4;

/**
 * Opens the event log that is kept in Redis. Returns at once, Redis up or down, and goes on connecting:
 * methods reject with LOG_UNAVAILABLE until it stands.
 */
export function openRedisEventLog({
  connection,
  prefix,
  limits,
  form = WHOLE_EVENTS,
  logger,
  minReplicas = 0,
  commandTimeoutMs = 4_500,
  tailBytes = TAIL_BYTES,
}: RedisEventLogOptions): EventLog {
  const keys = createKeys(prefix);
  const states = createLogStates(limits.retentionEvents, form);
  const reading = createReading(keys, states, limits);

  // Appends have a connection of their own: a large batch must not keep readers waiting.
  const open = (role: string) => createClient(connection, `mandrill-live:${role}`, commandTimeoutMs);
  const appending = createLink({ client: open("append"), connection, timeoutMs: commandTimeoutMs, logger });
  const commands = openLink(connection, "read", commandTimeoutMs);
  const subscriber = open("subscribe");
  const subscribing = createLink({ client: subscriber, connection, timeoutMs: commandTimeoutMs });
  if (logger !== undefined) {
    warnOfOldRedis(commands, logger);
    tellOfFormerLayout(commands, keys, logger);
  }
  const indexes = createIndexes({ keys, states, reading, link: commands, tailBytes });
  const find = createFind(indexes, reading);
  const count = createCount(keys, indexes);
  const erase = createErase(keys, states, indexes, reading);
  const scrub = createScrub({ keys, states });
  const own = createOwnBatches();
  // PUBSUB NUMSUB knows the listeners of one node: in a cluster others may listen elsewhere.
  const appends = createAppend({ keys, indexes, limits, form, own: connection.kind === "cluster" ? null : own });
  const wakeUps = createWakeUps({ client: subscriber, link: subscribing, channel: keys.channel, states, own, logger });
  const retention = createRetention(keys, indexes, limits, commands);

  const replicas =
    minReplicas === 0
      ? null
      : createReplicas({
          link: openLink(connection, "replicas", commandTimeoutMs),
          keys,
          needed: minReplicas,
          waitMs: Math.floor(commandTimeoutMs * REPLICA_WAIT),
        });

  const head = () => commands.run(async (client) => headOf((await reading.look(client)).state));
  let relook: Promise<unknown> | null = null;

  return {
    kind: "redis",
    // Not async: a function that waits would keep the parsed events for as long as Redis takes.
    append(events) {
      if (events.length === 0) return head().then(({ number }) => ({ appended: 0, duplicates: 0, head: number }));
      const batch = appends.prepare(events);
      return appending.run(async (client) => {
        const appended = await appends.send(client, batch);
        // Duplicates are waited for as well: their batch may have come before without reaching the replicas.
        await Promise.all([
          retention.afterAppend(appended),
          replicas?.have({ number: appended.head, tag: appended.headTag }),
        ]);
        return { appended: appended.appended, duplicates: appended.duplicates, head: appended.head };
      });
    },
    read: (position, limit) => commands.run((client) => reading.read(client, position, limit)),
    head,
    async positionOf(cursor): Promise<Position | null> {
      const { known } = states;
      if (known !== null) {
        const position = known.codec.decode(cursor);
        // Only its shape makes a cursor unreadable, under whatever key.
        if (position === null || position.epoch === known.epoch) return position;
      }
      // Of another epoch: forged, foreign, or of a log with a new key. One look at a time answers all who ask.
      relook ??= head().finally(() => {
        relook = null;
      });
      await relook;
      return states.known?.codec.decode(cursor) ?? null;
    },
    find: (query) => commands.run((client) => find(client, query)),
    findById: (id) =>
      commands.run(async (client) => {
        const [{ state }, number] = await Promise.all([reading.look(client), client.zscore(keys.ids, id)]);
        if (number === null || Number(number) < state.oldest) return null;
        const { entries } = await reading.fetch(client, state, [Number(number)], 1);
        return entries[0] ?? null;
      }),
    count: (query) => commands.run((client) => count(client, query)),
    async recordRequests(requests) {
      if (requests.length === 0) return;
      await commands.run(async (client) => {
        const texts = requests.map((request) => JSON.stringify(request));
        const pipeline = client.pipeline().lpush(keys.requests, ...texts);
        resultsOf(await pipeline.ltrim(keys.requests, 0, WEBHOOK_REQUESTS_KEPT - 1).exec());
      });
    },
    requests: (limit) =>
      commands.run(async (client) => {
        const texts = limit < 1 ? [] : await client.lrange(keys.requests, 0, limit - 1);
        return texts.map((text) => JSON.parse(text) as WebhookRequest);
      }),
    onWakeUp: wakeUps.listen,
    renewEpoch: (known) =>
      commands.run(async (client) => {
        const args = [newEpoch(), newLog()[1], known];
        const epoch = (await SCRIPTS.renew.run(client, [keys.meta, keys.entries, keys.terms], args)) as string;
        states.renewed(epoch);
        return epoch;
      }),
    async secret(purpose) {
      if (states.known === null) await head();
      return logSecret(Buffer.from(states.known?.cursorKey as string, "hex"), purpose);
    },
    async revoke(tokenId, until) {
      await appending.run((client) => revokeToken(client, keys, tokenId, until));
      await replicas?.have();
    },
    revokedTokens: (known) => commands.run((client) => readRevokedTokens(client, keys, known)),
    async erase(email) {
      const erased = await erase(commands, email);
      await eraseFromConversion(commands, keys);
      await scrub(commands);
      await replicas?.have();
      return erased;
    },
    trim: retention.trim,
    async check() {
      // A write that Redis refuses whenever it would refuse an append: without memory, as a replica, without its disk.
      const write = appending.run((client) => client.set(keys.check, "", "PX", CHECK_EXPIRY));
      const layout = commands.run((client) => client.hget(keys.meta, "layout"));
      const [found] = await Promise.all([layout, write, replicas?.have()]);
      // No script of this version would touch such a log.
      if (found !== null) refuseOtherLayout(found);
    },
    async close() {
      wakeUps.stop();
      const appended = appending.close().then(() => replicas?.close());
      await Promise.all([appended, commands.close(), subscribing.close()]);
    },
  };
}
