import { describe, expect, it } from "vitest";
import { ServiceError } from "../../../src/error.ts";
import { createRefusalLog } from "../../../src/mandrill/refusal-log.ts";
import { recordingLogger } from "../../harness/recording-logger.ts";

const MISMATCH = new ServiceError("SIGNATURE_MISMATCH", "It fits none.");
const MALFORMED = new ServiceError("BATCH_MALFORMED", "It is no JSON.");

function logAt(clock: { ms: number }) {
  const { logger, lines } = recordingLogger();
  return { log: createRefusalLog(logger, () => clock.ms), lines };
}

describe("createRefusalLog", () => {
  it("warns of a refusal: code, status, size and reason", () => {
    const { log, lines } = logAt({ ms: 0 });
    log.write({ error: MALFORMED, bytes: 12 });
    expect(lines).toMatchObject([
      { level: 40, code: "BATCH_MALFORMED", status: 400, bytes: 12, msg: "webhook request refused: It is no JSON." },
    ]);
  });

  it("says which URLs a signature was tried under", () => {
    const { log, lines } = logAt({ ms: 0 });
    log.write({ error: MISMATCH, bytes: 12, triedUrls: ["https://***@example.com/"] });
    expect(lines).toMatchObject([{ triedUrls: ["https://***@example.com/"] }]);
  });

  it("says why the log could not take a batch", () => {
    const { log, lines } = logAt({ ms: 0 });
    log.write({ error: new ServiceError("LOG_UNAVAILABLE", "No log.", {}, new Error("disk full")), bytes: 1 });
    expect(lines).toMatchObject([{ err: { message: "disk full" } }]);
  });

  it("writes ten lines of a code a minute, and tells later how many it has left out", () => {
    const clock = { ms: 1_000 };
    const { log, lines } = logAt(clock);
    for (let i = 0; i < 25; i++) log.write({ error: MISMATCH, bytes: 0 });
    expect(lines).toHaveLength(10);
    log.write({ error: MALFORMED, bytes: 0 });
    expect(lines).toHaveLength(11);
    clock.ms += 59_999;
    log.write({ error: MISMATCH, bytes: 0 });
    expect(lines).toHaveLength(11);
    clock.ms += 1;
    log.write({ error: MISMATCH, bytes: 0 });
    log.write({ error: MISMATCH, bytes: 0 });
    expect(lines.slice(11).map(({ suppressed }) => suppressed)).toEqual([16, undefined]);
  });

  it("goes on where the clock was put back", () => {
    const clock = { ms: 100_000 };
    const { log, lines } = logAt(clock);
    for (let i = 0; i < 11; i++) log.write({ error: MISMATCH, bytes: 0 });
    clock.ms = 0;
    log.write({ error: MISMATCH, bytes: 0 });
    expect(lines).toHaveLength(11);
  });

  it("tells at the end what is left untold, and nothing where there is nothing", () => {
    const { log, lines } = logAt({ ms: 0 });
    for (let i = 0; i < 12; i++) log.write({ error: MISMATCH, bytes: 0 });
    log.write({ error: MALFORMED, bytes: 0 });
    log.close();
    expect(lines.slice(11)).toMatchObject([{ code: "SIGNATURE_MISMATCH", suppressed: 2 }]);
  });
});
