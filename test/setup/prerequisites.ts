import { OLDEST_REDIS } from "../../src/event-log/redis/redis-version.ts";
import { type Machine, thisMachine } from "./machine.ts";

/** A program that tests start and npm does not bring. */
export interface Prerequisite {
  /** Its name on the PATH. */
  readonly program: string;
  /** The variable that names it where it is not on the PATH. */
  readonly variable: string;
  readonly debianPackage: string;
  /** What it must bring along, as it follows "with", and arguments with which it then ends with 0. */
  readonly part?: { readonly name: string; readonly proof: readonly string[] } | undefined;
  /** What it is needed for, as it follows "needed". */
  readonly why: string;
}

/** A machine may have several, and Debian's package is for Debian's own. */
const PYTHON: Prerequisite = {
  program: "python3",
  variable: "PYTHON",
  debianPackage: "python3-requests",
  part: { name: "its module requests", proof: ["-c", "import requests"] },
  why: "by the test of the Python client in docs/clients.md",
};

export const PREREQUISITES: readonly Prerequisite[] = [
  {
    program: "redis-server",
    variable: "REDIS_SERVER",
    debianPackage: "redis-server",
    why: `by the tests on a real Redis (version ${OLDEST_REDIS} or later)`,
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
    program: "openssl",
    variable: "OPENSSL",
    debianPackage: "openssl",
    why: "by the test of Redis over TLS, for its certificates",
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
  PYTHON,
];

/** The Python that has what the tests need. */
export function findPython(machine: Machine = thisMachine()): string {
  const found = locate(PYTHON, machine);
  if (found === undefined) throw new Error(howToInstall(PYTHON));
  return found;
}

/**
 * Sees to it that every program is there: installs what is missing where that can be done, and otherwise throws the
 * sentence that says what to install. No suite is skipped for want of a program.
 */
export function meetPrerequisites(prerequisites: readonly Prerequisite[], machine: Machine): void {
  for (const prerequisite of prerequisites) {
    const { variable } = prerequisite;
    const named = machine.variable(variable);
    if (named === undefined || locate(prerequisite, machine) !== undefined) continue;
    throw new Error(
      `${variable} names ${named}, which cannot be run: let it name a ${called(prerequisite)}, or unset it.`,
    );
  }
  const missing = missingOn(machine, prerequisites);
  if (missing.length === 0) return;
  if (machine.canInstall) machine.install(missing.map(({ debianPackage }) => debianPackage));
  const stillMissing = missingOn(machine, prerequisites);
  if (stillMissing.length > 0) throw new Error(stillMissing.map(howToInstall).join("\n"));
}

function missingOn(machine: Machine, prerequisites: readonly Prerequisite[]): readonly Prerequisite[] {
  return prerequisites.filter((prerequisite) => locate(prerequisite, machine) === undefined);
}

function locate({ program, variable, part }: Prerequisite, machine: Machine): string | undefined {
  return machine.find(machine.variable(variable) ?? program, part?.proof);
}

function called({ program, part }: Prerequisite): string {
  return part === undefined ? program : `${program} with ${part.name}`;
}

function howToInstall(prerequisite: Prerequisite): string {
  const { variable, debianPackage, why } = prerequisite;
  const remedy = `Install it (on Debian or Ubuntu: apt-get install ${debianPackage}), or let ${variable} name it.`;
  return `${called(prerequisite)} is needed ${why} and is not on the PATH. ${remedy}`;
}

/** Vitest calls it once, before the first test file. */
export function setup(): void {
  meetPrerequisites(PREREQUISITES, thisMachine());
}
