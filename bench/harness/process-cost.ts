import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** Milliseconds of a tick of /proc's clock. */
const TICK = 1_000 / Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));

/** CPU that a process has taken since its start, all threads, user and system. Milliseconds, in steps of a tick. */
export function cpuMs(pid: number): number {
  // The name in parentheses may hold blanks: fields are counted behind it (proc_pid_stat(5): utime 14, stime 15).
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK;
}

/** Share of a core that was not idle between two calls. */
export function coreMeter(core: number): () => number {
  const read = (): { busy: number; all: number } => {
    const line = new RegExp(`^cpu${core} (.*)$`, "m").exec(readFileSync("/proc/stat", "utf8"))?.[1] ?? "";
    // user nice system idle iowait irq softirq steal: guest is counted in user already.
    const fields = line.trim().split(" ").slice(0, 8).map(Number);
    const all = fields.reduce((sum, field) => sum + field, 0);
    return { busy: all - (fields[3] ?? 0) - (fields[4] ?? 0), all };
  };
  const before = read();
  return () => {
    const now = read();
    return (now.busy - before.busy) / Math.max(1, now.all - before.all);
  };
}

/** Memory of a process: its own pages and its part of shared ones. Bytes. */
function memoryBytes(pid: number): number {
  const pss = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1];
  return Number(pss) * 1_024;
}

/** Memory once it has come to rest: when it changes by less than 1 % within a second. */
export async function settledMemoryBytes(pid: number, withinMs: number): Promise<number> {
  let before = memoryBytes(pid);
  for (const begun = performance.now(); performance.now() - begun < withinMs; ) {
    await sleep(1_000);
    const now = memoryBytes(pid);
    if (Math.abs(now - before) < 0.01 * before) return now;
    before = now;
  }
  return before;
}
