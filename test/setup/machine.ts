import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";

/** What of a machine matters to prerequisites. */
export interface Machine {
  /** An environment variable; undefined where it is not set, or empty. */
  variable(name: string): string | undefined;
  /**
   * Where a program is that can be run, given by its name or its path: the first on the PATH that, where `proof` is
   * given, ends with 0 when it is run with these arguments.
   */
  find(program: string, proof?: readonly string[]): string | undefined;
  /** Whether {@link Machine.install} can be tried. */
  readonly canInstall: boolean;
  /** Installs Debian packages, without starting the services that they bring. Throws where that fails. */
  install(packages: readonly string[]): void;
}

/** The machine that runs the tests. */
export function thisMachine(): Machine {
  return {
    variable: (name) => process.env[name] || undefined,
    find: findProgram,
    canInstall: process.getuid?.() === 0 && existsSync("/etc/debian_version") && findProgram("apt-get") !== undefined,
    install,
  };
}

function findProgram(program: string, proof?: readonly string[]): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  const paths = program.includes("/") ? [program] : folders.map((folder) => join(folder, program));
  return paths.find((path) => isProgram(path) && (proof === undefined || proves(path, proof)));
}

function proves(path: string, proof: readonly string[]): boolean {
  return spawnSync(path, proof, { stdio: "ignore" }).status === 0;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function install(packages: readonly string[]): void {
  console.log(`Installing ${packages.join(", ")} with apt-get, which the tests need.`);
  const allowStarts = forbidStarts();
  try {
    // An unreachable source among several fails the update; whether the install fails is what counts.
    aptGet("update", "-qq");
    const status = aptGet("install", "-y", "-qq", "--no-install-recommends", ...packages);
    if (status !== 0) throw new Error(`apt-get could not install ${packages.join(", ")}; its output is above.`);
  } finally {
    allowStarts();
  }
}

function aptGet(...args: readonly string[]): number | null {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  // Waits, in seconds, for another apt-get on this machine; draws no progress.
  const options = ["-o", "DPkg::Lock::Timeout=120", "-o", "Dpkg::Use-Pty=0"];
  return spawnSync("apt-get", [...options, ...args], { env, stdio: ["ignore", "inherit", "inherit"] }).status;
}

/** Debian's switch against starting services at installation (invoke-rc.d(8)): a script that answers 101. */
const POLICY = "/usr/sbin/policy-rc.d";

/** Forbids starts unless the machine has a policy of its own, which stays; returns what lifts the ban. */
function forbidStarts(): () => void {
  try {
    writeFileSync(POLICY, "#!/bin/sh\nexit 101\n", { mode: 0o755, flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return () => undefined;
  }
  return () => unlinkSync(POLICY);
}
