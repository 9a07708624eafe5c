import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { limitFiles } from "../harness/file-limit.ts";
import { HTTP_MOMENTS } from "../harness/moment.ts";
import { befalling, type Ground, type Scene, type StoreFault } from "./ground.ts";
import { eraFrom, type GrowingEra, newEra } from "./history.ts";
import { restoredAndOvertaken, whileAllAreDown } from "./overtaking.ts";
import type { Random } from "./random.ts";
import { copyLog, recordSqlite, type SqliteRecorder } from "./sqlite-recorder.ts";

/** The folder that has the log, and an older copy of it: both are touched only while no instance runs. */
class LogFolder {
  readonly dataDir: string;
  readonly recorder: SqliteRecorder;
  readonly #copy: string;
  #copied: GrowingEra | null = null;

  constructor(folder: string) {
    this.dataDir = join(folder, "data");
    this.#copy = join(folder, "copy");
    this.recorder = recordSqlite(this.dataDir);
  }

  /** Perhaps there is a copy of before, of a log that has been lost since, that will do. */
  async copy({ instances }: Scene, random: Random): Promise<void> {
    if (this.#copied !== null && !random.onceIn(2)) return;
    await whileAllAreDown(instances, async () => {
      await this.recorder.look();
      await rm(this.#copy, { recursive: true, force: true });
      await copyLog(this.dataDir, this.#copy);
      this.#copied = eraFrom(this.recorder.eras.current, "copy");
    });
    await pause(random.between(100, 700));
  }

  /** Returns how many entries are lost. */
  async restore(): Promise<number> {
    const copied = this.#copied;
    if (copied === null) throw new Error("there is no copy");
    const before = await this.#become(eraFrom(copied, "copy"));
    await copyLog(this.#copy, this.dataDir);
    return before - copied.entries.length;
  }

  async lose(): Promise<void> {
    await this.#become(newEra());
  }

  /** Returns how many entries there were. */
  async #become(era: GrowingEra): Promise<number> {
    await this.recorder.look();
    const { length } = this.recorder.eras.current.entries;
    await rm(this.dataDir, { recursive: true });
    this.recorder.eras.begin(era);
    return length;
  }
}

/** The instance may be killed meanwhile. */
async function limit(pid: number, bytes: number | "unlimited"): Promise<void> {
  await limitFiles(pid, bytes).catch((error) => {
    if (isAlive(pid)) throw error;
  });
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const FAULTS = {
  "fill the disk": async (_, { instances }, random) => {
    const { pid } = random.oneOf(instances);
    await limit(pid, 1);
    await pause(random.between(50, 1_500));
    await limit(pid, "unlimited");
  },
  "lose the file": (log, { instances }) => whileAllAreDown(instances, () => log.lose()),
  "restore an older file": async (log, scene, random) => {
    await log.copy(scene, random);
    await whileAllAreDown(scene.instances, async () => void (await log.restore()));
  },
  "restore an older file and grow past the old head": async (log, scene, random) => {
    await log.copy(scene, random);
    await restoredAndOvertaken(scene, () => log.restore());
  },
} as const satisfies Record<string, StoreFault<LogFolder>>;

/** A file, which one instance has. */
export const SQLITE: Ground = {
  faults: Object.keys(FAULTS),
  settings: () => ({}),
  mostInstances: 1,
  async open() {
    const folder = await mkdtemp(join(tmpdir(), "mandrill-live-chaos-"));
    const log = new LogFolder(folder);
    return {
      history: log.recorder,
      faults: befalling<LogFolder>(log, FAULTS),
      way: () => ({ port: null, env: () => ({}), dataDir: log.dataDir, moments: HTTP_MOMENTS }),
      stop: () => rm(folder, { recursive: true, force: true }),
    };
  },
};
