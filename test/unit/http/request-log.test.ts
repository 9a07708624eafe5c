import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { createClientAddresses } from "../../../src/access/client-address.ts";
import { ServiceError } from "../../../src/error.ts";
import { createRequestLog, UNKNOWN_ROUTE } from "../../../src/http/request-log.ts";
import { type LogLine, recordingLogger } from "../../harness/recording-logger.ts";

const ROUTES = ["/graphql", "/mandrill", "/health"];
const DEBUG = 20;
const INFO = 30;

interface Asked {
  readonly path: string;
  readonly level?: "info" | "debug";
  readonly status?: number;
  readonly headers?: Record<string, string>;
}

interface Told {
  readonly lines: readonly LogLine[];
  readonly response: Response;
  readonly counted: readonly (readonly [route: string, status: number])[];
}

/** Asks a real server once, and returns what the log has told when the request was over. */
async function ask({ path, level = "info", status = 200, headers = {} }: Asked): Promise<Told> {
  const { logger, lines } = recordingLogger();
  logger.level = level;
  const counted: [string, number][] = [];
  const log = createRequestLog({
    logger,
    routeOf: ({ url }: IncomingMessage) => ROUTES.find((route) => url?.split("?")[0] === route) ?? UNKNOWN_ROUTE,
    addressOf: createClientAddresses(["127.0.0.1/32"]),
    onAnswered: (...answer) => counted.push(answer),
  });
  const over = Promise.withResolvers<void>();
  const server = createServer((request, response) => {
    log.begin(request, response);
    response.once("close", over.resolve);
    response.writeHead(status).end("1234567890");
  });
  onTestFinished(() => void server.close());
  await once(server.listen(0, "127.0.0.1"), "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
  const response = await fetch(url, { headers: { connection: "close", ...headers } });
  await response.text();
  await over.promise;
  return { lines, response, counted };
}

describe("a request's line", () => {
  it("tells method, path without its query, status, duration and bytes", async () => {
    const { lines, counted } = await ask({ path: "/graphql?query=secret", headers: { "x-request-id": "proxy-1" } });
    expect(lines).toEqual([
      expect.objectContaining({
        level: INFO,
        msg: "request answered",
        requestId: "proxy-1",
        method: "GET",
        path: "/graphql",
        status: 200,
        durationMs: expect.any(Number),
        bytes: expect.any(Number),
      }),
    ]);
    expect(lines[0]?.bytes).toBeGreaterThan(10);
    expect(JSON.stringify(lines)).not.toMatch(/secret|127\.0\.0\.1/);
    expect(counted).toEqual([["/graphql", 200]]);
  });

  it("is written at debug for the webhook, whose refusals are told apart, and for probes", async () => {
    expect((await ask({ path: "/mandrill" })).lines).toEqual([]);
    expect((await ask({ path: "/mandrill", status: 401 })).lines).toEqual([]);
    expect((await ask({ path: "/health" })).lines).toEqual([]);
    expect((await ask({ path: "/mandrill", level: "debug" })).lines).toMatchObject([{ level: DEBUG, status: 200 }]);
    expect((await ask({ path: "/mandrill" })).counted).toEqual([["/mandrill", 200]]);
  });

  it("is written at info for a probe that fails, and where Mandrill posts to a path that is none", async () => {
    expect((await ask({ path: "/health", status: 503 })).lines).toMatchObject([{ level: INFO, status: 503 }]);
    expect((await ask({ path: "/mandrill", status: 404 })).lines).toMatchObject([{ level: INFO, status: 404 }]);
  });

  it("says what was asked for that is not there, and who asked, at debug alone", async () => {
    const headers = { "x-forwarded-for": "192.0.2.7" };
    const asked = { path: "/nobody%40example.com?token=1", status: 404, headers };
    const { lines } = await ask(asked);
    expect(lines).toMatchObject([{ path: "other", status: 404 }]);
    expect(JSON.stringify(lines)).not.toMatch(/nobody|192\.0\.2\.7/);
    // In the form in which the logger hides an address.
    expect((await ask({ ...asked, level: "debug" })).lines).toMatchObject([
      { path: "other", asked: "/nobody@example.com", ip: "192.0.2.7" },
    ]);
  });

  it("tells a handshake that was refused, and its code", async () => {
    const { logger, lines } = recordingLogger();
    logger.level = "info";
    const addressOf = createClientAddresses([]);
    const log = createRequestLog({ logger, routeOf: () => "/graphql", addressOf });
    const request = { method: "GET", headers: { "x-request-id": "7" }, url: "/graphql" } as unknown as IncomingMessage;
    log.refused(request, new ServiceError("FORBIDDEN", "Not from there."));
    expect(lines).toMatchObject([{ msg: "WebSocket refused", requestId: "7", path: "/graphql", status: 403 }]);
  });
});

describe("a request's id", () => {
  it("is the one it came with, and told to who asked", async () => {
    const { response } = await ask({ path: "/graphql", headers: { "x-request-id": "a-Sane_1" } });
    expect(response.headers.get("x-request-id")).toBe("a-Sane_1");
  });

  it.each(["", "two words", "ada@example.com", "192.0.2.7", "eyJhbGciOiJIUzI1NiJ9.e30.c2ln", "a".repeat(65)])(
    "is made anew in the place of %j",
    async (given) => {
      const { response, lines } = await ask({ path: "/graphql", headers: { "x-request-id": given } });
      const told = response.headers.get("x-request-id");
      expect(told).toMatch(/^[0-9a-f-]{36}$/);
      expect(lines).toMatchObject([{ requestId: told }]);
    },
  );
});
