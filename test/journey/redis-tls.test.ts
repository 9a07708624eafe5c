import { appendFile, readFile } from "node:fs/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Environment } from "../../src/config.ts";
import { type Certificate, createCertificate } from "../harness/certificate.ts";
import { jsonBatch, post, rawEvent } from "../harness/mandrill-post.ts";
import { type RedisCluster, startRedisCluster } from "../harness/redis-cluster.ts";
import { type RedisServer, startRedisSentinel, startRedisServer } from "../harness/redis-server.ts";
import { type ServiceProcess, spawnService } from "../harness/service-process.ts";
import { connectSocket } from "../harness/socket-client.ts";

const MASTER = "events";
/** Nodes name each other by host instead of address, for certificates that do. */
const NAMED_NODES = { "cluster-announce-hostname": "localhost", "cluster-preferred-endpoint-type": "hostname" };
/** Sentinels name their master by address. */
const ADDRESSES = "DNS:localhost,IP:127.0.0.1";
/** Of a URL that lends TLS, and is asked for nothing else. */
const LENDS_TLS = "rediss://localhost";

function bySentinel(port: number): Environment {
  return { REDIS_URL: LENDS_TLS, REDIS_SENTINELS: `localhost:${port}`, REDIS_SENTINEL_MASTER: MASTER };
}

function byCluster(port: number): Environment {
  return { REDIS_URL: LENDS_TLS, REDIS_CLUSTER: `localhost:${port}` };
}

async function certificateFor(names: string): Promise<Certificate> {
  const certificate = await createCertificate(names);
  onTestFinished(() => certificate[Symbol.asyncDispose]());
  return certificate;
}

async function startServer(certificate: Certificate): Promise<RedisServer> {
  const server = await startRedisServer({ certificate });
  onTestFinished(() => server.stop());
  return server;
}

async function startCluster(certificate: Certificate, masters = 3): Promise<RedisCluster> {
  const cluster = await startRedisCluster({ certificate, masters, config: NAMED_NODES });
  onTestFinished(() => cluster.stop());
  return cluster;
}

/** @param trusted what the operator trusts beside the well-known authorities; Node reads it when it starts */
async function startWith(env: Environment, trusted?: Certificate): Promise<ServiceProcess> {
  const service = await spawnService({ env: { ...env, NODE_EXTRA_CA_CERTS: trusted?.file } });
  onTestFinished(() => service[Symbol.asyncDispose]());
  return service;
}

async function readiness({ url }: ServiceProcess) {
  const response = await fetch(`${url}/ready`);
  const { checks } = (await response.json()) as { checks: { eventLog: { reason?: string } } };
  return { status: response.status, reason: checks.eventLog.reason };
}

/** An event goes the whole way: posted, appended, woken up for, and handed to whoever listens. */
async function expectServed(service: ServiceProcess): Promise<void> {
  await expect.poll(() => readiness(service), { timeout: 20_000 }).toEqual({ status: 200, reason: undefined });
  await using listener = await connectSocket(service.socketUrl);
  const { head } = listener.ack;
  listener.subscribe("1", "subscription { eventReceived { email } }", { extensions: { after: head } });
  const event = rawEvent("open", { msg: { email: "ada@example.com" } });
  expect(await post(service.url, jsonBatch([event]))).toMatchObject({ status: 200, body: { appended: 1 } });
  expect(await listener.next("1")).toMatchObject({
    payload: { data: { eventReceived: { email: "ada@example.com" } } },
  });
}

/** The ports of Redis that the service's connections have come to. */
async function portsOf({ client }: RedisServer): Promise<readonly number[]> {
  const list = String(await client.client("LIST"));
  const ours = list.split("\n").filter((line) => line.includes("name=mandrill-live:"));
  return [...new Set(ours.map((line) => Number(/ laddr=127\.0\.0\.1:(\d+) /.exec(line)?.[1])))];
}

describe("a Redis over TLS", () => {
  it("keeps the log, and is spoken to in no other way", async () => {
    const certificate = await certificateFor("DNS:localhost");
    const server = await startServer(certificate);
    const service = await startWith({ REDIS_URL: `rediss://localhost:${server.tlsPort}` }, certificate);
    await expectServed(service);
    expect(await portsOf(server)).toEqual([server.tlsPort]);
  });

  it("is asked of a sentinel over TLS", async () => {
    const certificate = await certificateFor(ADDRESSES);
    const server = await startServer(certificate);
    const sentinel = await startRedisSentinel(MASTER, server, certificate);
    onTestFinished(() => sentinel.stop());
    await expectServed(await startWith(bySentinel(sentinel.tlsPort), certificate));
    expect(await portsOf(server)).toEqual([server.tlsPort]);
  });

  it("is a cluster, whose nodes send the service to each other by name, and to the port for it", async () => {
    const certificate = await certificateFor("DNS:localhost");
    const { nodes } = await startCluster(certificate);
    const [first] = nodes as [RedisServer];
    await expectServed(await startWith(byCluster(first.tlsPort), certificate));
    const ports = (await Promise.all(nodes.map(portsOf))).flat();
    expect(nodes.map(({ tlsPort }) => tlsPort)).toEqual(expect.arrayContaining(ports));
    expect(ports).not.toEqual([]);
  });
});

describe("a Redis whose certificate cannot be relied on", () => {
  it("is not spoken to where nobody vouches for it, found directly, by sentinels or as a cluster", async () => {
    const certificate = await certificateFor(ADDRESSES);
    const server = await startServer(certificate);
    const sentinel = await startRedisSentinel(MASTER, server, certificate);
    onTestFinished(() => sentinel.stop());
    const [node] = (await startCluster(certificate, 1)).nodes as [RedisServer];
    const ways = [
      { REDIS_URL: `rediss://localhost:${server.tlsPort}` },
      bySentinel(sentinel.tlsPort),
      byCluster(node.tlsPort),
    ];
    for (const way of ways) {
      const service = await startWith(way);
      const reason = "Redis cannot be reached: DEPTH_ZERO_SELF_SIGNED_CERT.";
      expect(await readiness(service)).toEqual({ status: 503, reason });
      expect(await post(service.url, jsonBatch([rawEvent("open")]))).toMatchObject({
        status: 503,
        body: { code: "LOG_UNAVAILABLE", message: reason },
      });
      await service.match(/"self-signed certificate[^"]*".*"Redis cannot be reached; trying again"/);
    }
  });

  it("is not spoken to where it names another host, and is as soon as it names this one", async () => {
    const [other, right] = [await certificateFor("DNS:redis.example.com"), await certificateFor("DNS:localhost")];
    const server = await startServer(right);
    const show = ({ file, keyFile }: Certificate) =>
      server.client.config("SET", "tls-cert-file", file, "tls-key-file", keyFile);
    await show(other);
    // Both are trusted: what is wrong is the name alone.
    await appendFile(right.file, await readFile(other.file));
    const service = await startWith({ REDIS_URL: `rediss://localhost:${server.tlsPort}` }, right);
    const reason = "Redis cannot be reached: ERR_TLS_CERT_ALTNAME_INVALID.";
    expect(await readiness(service)).toEqual({ status: 503, reason });
    const [line] = await service.match(/.*"Redis cannot be reached; trying again".*/);
    expect(line).toContain("Host: localhost. is not in the cert's altnames: DNS:redis.example.com");
    // The certificate itself, byte by byte, is no part of it.
    expect(line.length).toBeLessThan(2_000);
    await show(right);
    await expectServed(service);
  });
});
