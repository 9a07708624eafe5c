import { expect, onTestFinished } from "vitest";
import type { Environment } from "../../src/config.ts";
import { batchOf, type Publisher, postUntilTaken, startPublisher } from "./fault-publisher.ts";
import { type FaultSubscriber, startFaultSubscriber } from "./fault-subscriber.ts";
import { type RedisServer, startRedisServer } from "./redis-server.ts";
import { type ServiceProcess, spawnService } from "./service-process.ts";

/** Two instances on one log, each a process of its own, a subscriber on each, and a publisher that posts to both. */
export interface FaultInstances {
  readonly services: readonly [ServiceProcess, ServiceProcess];
  readonly subscribers: readonly [FaultSubscriber, FaultSubscriber];
  readonly publisher: Publisher;
  /** Ends the load and resolves when both subscribers have everything up to its end. */
  settled(): Promise<void>;
}

/** The same, and their Redis. */
export interface FaultScene extends FaultInstances {
  readonly redis: RedisServer;
}

export interface FaultSceneOptions {
  /** Directives of redis.conf. */
  readonly redis?: Readonly<Record<string, string>> | undefined;
  /** Settings of both instances. */
  readonly env?: Environment | undefined;
  /** REDIS_URL of the first instance, where it is not Redis itself. */
  readonly firstUrl?: ((redis: RedisServer) => Promise<string>) | undefined;
}

/** Starts it all, and ends it after the test. */
export async function startFaultScene({ redis: config, env, firstUrl }: FaultSceneOptions = {}): Promise<FaultScene> {
  const redis = await startRedisServer({ config });
  onTestFinished(() => redis.stop());
  const at = (url: string): Environment => ({ REDIS_URL: url, ...env });
  return { redis, ...(await startFaultInstances(at((await firstUrl?.(redis)) ?? redis.url), at(redis.url))) };
}

/**
 * An instance with these settings, in a process of its own, for as long as the test runs.
 * @param dataDir outlives it
 */
export async function startFaultInstance(env: Environment, dataDir?: string): Promise<ServiceProcess> {
  const service = await spawnService({ env: { REDIS_PREFIX: "faults", SHUTDOWN_SECONDS: "0", ...env }, dataDir });
  onTestFinished(() => service[Symbol.asyncDispose]());
  return service;
}

/** Stops it in order. */
export async function stopInstance(service: ServiceProcess): Promise<void> {
  service.signal("SIGTERM");
  expect(await service.ended).toBe(0);
}

/** Starts instances with these settings, and whoever listens and posts to them; ends it all after the test. */
export async function startFaultInstances(first: Environment, second: Environment): Promise<FaultInstances> {
  const services = await Promise.all([startFaultInstance(first), startFaultInstance(second)]);
  const subscriberOf = async ({ socketUrl }: ServiceProcess): Promise<FaultSubscriber> => {
    const subscriber = await startFaultSubscriber(() => socketUrl);
    onTestFinished(() => subscriber.stop());
    return subscriber;
  };
  const subscribers = [await subscriberOf(services[0]), await subscriberOf(services[1])] as const;
  const publisher = startPublisher({ name: "load", urls: () => services.map(({ url }) => url) });
  onTestFinished(() => publisher.giveUp());
  return {
    services,
    subscribers,
    publisher,
    async settled() {
      await publisher.stop();
      await untilServed(subscribers, services[0].url);
    },
  };
}

/** Posts one last event, and resolves when it has come to everyone: whatever was to come before it, once or twice, has. */
export async function untilServed(subscribers: readonly FaultSubscriber[], url: string): Promise<void> {
  // After a failover one instance may find the new master later than the other, by which the load has gone on.
  await postUntilTaken(url, batchOf([LAST]));
  await Promise.all(subscribers.map((subscriber) => subscriber.until(({ received }) => received.at(-1) === LAST)));
}

/** The message id of the event that {@link untilServed} posts. */
export const LAST = "last";
