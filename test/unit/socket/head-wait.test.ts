import { pino } from "pino";
import { expect, it, onTestFinished } from "vitest";
import { createHub } from "../../../src/hub/hub.ts";
import { HeadWait } from "../../../src/socket/head-wait.ts";
import { createScriptedLog } from "../../harness/scripted-log.ts";

it("who waits for the head of a log that is away is let go alone, and served with the others once it answers", async () => {
  const log = createScriptedLog();
  log.down = true;
  const hub = createHub({
    eventLog: log,
    recentEntries: { maxEntries: 10, maxBytes: 1e6 },
    logger: pino({ level: "silent" }),
  });
  onTestFinished(() => hub.stop());
  hub.start();
  const headWait = new HeadWait<object>(hub);
  const [gone, patient, later] = [{}, {}, {}];
  const [first, second] = [headWait.wait(gone), headWait.wait(patient)];
  headWait.letGo(gone);
  expect(await first).toBe(false);
  log.down = false;
  log.wake({});
  expect(await second).toBe(true);
  expect(await headWait.wait(later)).toBe(true);
  headWait.letGo(patient);
});
