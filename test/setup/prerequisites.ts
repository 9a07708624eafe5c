import { type Machine, thisMachine } from "./machine.ts";

/** A program that tests start and npm does not bring. */
export interface Prerequisite {
  /** Its name on the PATH. */
  readonly program: string;
  /** The variable that names it where it is not on the PATH. */
  readonly variable: string;
  readonly debianPackage: string;
  /** What it is needed for, as it follows "needed". */
  readonly why: string;
}

export const PREREQUISITES: readonly Prerequisite[] = [
  {
    program: "redis-server",
    variable: "REDIS_SERVER",
    debianPackage: "redis-server",
    why: "by the tests on a real Redis (version 7 or later)",
  },
  {
    program: "chromium",
    variable: "CHROMIUM",
    debianPackage: "chromium",
    why: "by the tests in a real browser",
  },
  {
    program: "nginx",
    variable: "NGINX",
    debianPackage: "nginx-light",
    why: "by the test of the proxy's configuration",
  },
  {
    program: "prlimit",
    variable: "PRLIMIT",
    debianPackage: "util-linux",
    why: "by the test on a disk that is full",
  },
  {
    program: "perl",
    variable: "PERL",
    debianPackage: "perl-base",
    why: "by the test of slow readers, whose sockets Node cannot make",
  },
];

/**
 * Sees to it that every program is there: installs what is missing where that can be done, and otherwise throws the
 * sentence that says what to install. No suite is skipped for want of a program.
 */
export function meetPrerequisites(prerequisites: readonly Prerequisite[], machine: Machine): void {
  for (const { program, variable } of prerequisites) {
    const named = machine.variable(variable);
    if (named === undefined || machine.find(named) !== undefined) continue;
    throw new Error(`${variable} names ${named}, which cannot be run: let it name a ${program}, or unset it.`);
  }
  const missing = missingOn(machine, prerequisites);
  if (missing.length === 0) return;
  if (machine.canInstall) machine.install(missing.map(({ debianPackage }) => debianPackage));
  const stillMissing = missingOn(machine, prerequisites);
  if (stillMissing.length > 0) throw new Error(stillMissing.map(howToInstall).join("\n"));
}

function missingOn(machine: Machine, prerequisites: readonly Prerequisite[]): readonly Prerequisite[] {
  return prerequisites.filter(
    ({ program, variable }) => machine.variable(variable) === undefined && machine.find(program) === undefined,
  );
}

function howToInstall({ program, variable, debianPackage, why }: Prerequisite): string {
  const remedy = `Install it (on Debian or Ubuntu: apt-get install ${debianPackage}), or let ${variable} name it.`;
  return `${program} is needed ${why} and is not on the PATH. ${remedy}`;
}

/** Vitest calls it once, before the first test file. */
export function setup(): void {
  meetPrerequisites(PREREQUISITES, thisMachine());
}
