import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { WebhookRequest } from "../../../src/event/webhook-request.ts";
import { createRequestRecorder } from "../../../src/mandrill/request-recorder.ts";
import { recordingLogger } from "../../harness/recording-logger.ts";

const request = (id: number): WebhookRequest => ({
  id: String(id),
  receivedAt: 0,
  status: 200,
  code: null,
  reason: null,
  received: 1,
  appended: 1,
  duplicates: 0,
  bytes: 1,
  durationMs: 1,
});

/** A log whose writes last until they are let go. */
function slowLog() {
  const writes: { ids: string[]; end: () => void; fail: (error: Error) => void }[] = [];
  return {
    writes,
    ids: () => writes.map(({ ids }) => ids),
    recordRequests: (requests: readonly WebhookRequest[]) =>
      new Promise<void>((resolve, reject) => {
        writes.push({ ids: requests.map(({ id }) => id), end: resolve, fail: reject });
      }),
  };
}

describe("createRequestRecorder", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("writes the requests of one moment together, at once", async () => {
    const log = slowLog();
    const recorder = createRequestRecorder(log, recordingLogger().logger);
    for (const id of [1, 2, 3]) recorder.record(request(id));
    expect(log.writes).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(log.ids()).toEqual([["1", "2", "3"]]);
  });

  it("writes a few times a second, however many come", async () => {
    const log = slowLog();
    const recorder = createRequestRecorder(log, recordingLogger().logger);
    for (let id = 1; id <= 1_000; id++) {
      recorder.record(request(id));
      await vi.advanceTimersByTimeAsync(1);
      log.writes.at(-1)?.end();
    }
    expect(log.writes.length).toBeGreaterThan(2);
    expect(log.writes.length).toBeLessThanOrEqual(5);
  });

  it("does not write while it is writing", async () => {
    const log = slowLog();
    const recorder = createRequestRecorder(log, recordingLogger().logger);
    recorder.record(request(1));
    await vi.advanceTimersByTimeAsync(1);
    recorder.record(request(2));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(log.ids()).toEqual([["1"]]);
    log.writes[0]?.end();
    await vi.advanceTimersByTimeAsync(1);
    expect(log.ids()).toEqual([["1"], ["2"]]);
  });

  it("keeps the newest 500 while the log does not answer", async () => {
    const log = slowLog();
    const recorder = createRequestRecorder(log, recordingLogger().logger);
    recorder.record(request(0));
    await vi.advanceTimersByTimeAsync(1);
    for (let id = 1; id <= 800; id++) recorder.record(request(id));
    log.writes[0]?.end();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(log.ids()[1]).toHaveLength(500);
    expect(log.ids()[1]?.at(0)).toBe("301");
    expect(log.ids()[1]?.at(-1)).toBe("800");
  });

  it("goes on after a write that failed", async () => {
    const log = slowLog();
    const { logger, lines } = recordingLogger();
    const recorder = createRequestRecorder(log, logger);
    recorder.record(request(1));
    await vi.advanceTimersByTimeAsync(1);
    recorder.record(request(2));
    log.writes[0]?.fail(new Error("no log"));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(log.ids()).toEqual([["1"], ["2"]]);
    expect(lines).toMatchObject([{ level: 20, err: { message: "no log" } }]);
  });

  it("has written everything when it is closed", async () => {
    const log = slowLog();
    const recorder = createRequestRecorder(log, recordingLogger().logger);
    recorder.record(request(1));
    await vi.advanceTimersByTimeAsync(1);
    recorder.record(request(2));
    let isClosed = false;
    const closed = recorder.close().then(() => {
      isClosed = true;
    });
    log.writes[0]?.end();
    await vi.advanceTimersByTimeAsync(0);
    expect(log.ids()).toEqual([["1"], ["2"]]);
    expect(isClosed).toBe(false);
    log.writes[1]?.end();
    await closed;
    expect(vi.getTimerCount()).toBe(0);
  });

  it("closes though the log fails, and at once where there is nothing to write", async () => {
    const log = slowLog();
    const recorder = createRequestRecorder(log, recordingLogger().logger);
    recorder.record(request(1));
    const closed = recorder.close();
    await vi.advanceTimersByTimeAsync(0);
    log.writes[0]?.fail(new Error("no log"));
    await closed;
    await createRequestRecorder(log, recordingLogger().logger).close();
    expect(log.writes).toHaveLength(1);
  });
});
