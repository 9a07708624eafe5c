import { describe, expect, it } from "vitest";
import { type Machine, thisMachine } from "../setup/machine.ts";
import { meetPrerequisites, type Prerequisite } from "../setup/prerequisites.ts";

const REDIS: Prerequisite = {
  program: "redis-server",
  variable: "REDIS_SERVER",
  debianPackage: "redis-package",
  why: "by a test",
};
const NGINX: Prerequisite = { program: "nginx", variable: "NGINX", debianPackage: "nginx-package", why: "by a test" };
const PYTHON: Prerequisite = {
  program: "python3",
  variable: "PYTHON",
  debianPackage: "python-package",
  part: { name: "its module requests", proof: ["-c", "import requests"] },
  why: "by a test",
};

interface Told {
  readonly programs?: readonly string[];
  /** Those of them that have the part that is asked for. */
  readonly whole?: readonly string[];
  readonly variables?: Readonly<Record<string, string>>;
  readonly canInstall?: boolean;
  /** What an installation brings. */
  readonly brings?: readonly string[];
}

/** A machine that has some programs and writes down what it is asked to install. */
function machineWith({ programs = [], whole = [], variables = {}, canInstall = false, brings = [] }: Told) {
  const there = new Set([...programs, ...whole]);
  const complete = new Set(whole);
  const installed: (readonly string[])[] = [];
  const machine: Machine = {
    variable: (name) => variables[name],
    find: (program, proof) => ((proof ? complete : there).has(program) ? `/bin/${program}` : undefined),
    canInstall,
    install(packages) {
      installed.push(packages);
      for (const program of brings) {
        there.add(program);
        complete.add(program);
      }
    },
  };
  return { machine, installed };
}

describe("the programs that tests need", () => {
  it("are left as they are where they are there", () => {
    const { machine, installed } = machineWith({ programs: ["redis-server", "nginx"], canInstall: true });
    meetPrerequisites([REDIS, NGINX], machine);
    expect(installed).toEqual([]);
  });

  it("may be named by a variable", () => {
    const { machine, installed } = machineWith({
      programs: ["/opt/redis/redis-server"],
      variables: { REDIS_SERVER: "/opt/redis/redis-server" },
      canInstall: true,
    });
    meetPrerequisites([REDIS], machine);
    expect(installed).toEqual([]);
  });

  it("stop the tests where the variable names nothing that can be run", () => {
    const { machine } = machineWith({ programs: ["redis-server"], variables: { REDIS_SERVER: "/nowhere" } });
    expect(() => meetPrerequisites([REDIS], machine)).toThrow("REDIS_SERVER names /nowhere, which cannot be run");
  });

  it("are installed at once where that can be done, the missing ones only", () => {
    const { machine, installed } = machineWith({ programs: ["nginx"], canInstall: true, brings: ["redis-server"] });
    meetPrerequisites([REDIS, NGINX], machine);
    expect(installed).toEqual([["redis-package"]]);
  });

  it("stop the tests with what to install where that cannot be done", () => {
    const { machine, installed } = machineWith({});
    expect(() => meetPrerequisites([REDIS, NGINX], machine)).toThrow(
      /redis-server is needed .* apt-get install redis-package.*\nnginx is needed/,
    );
    expect(installed).toEqual([]);
  });

  it("stop the tests where an installation did not bring them", () => {
    const { machine } = machineWith({ canInstall: true });
    expect(() => meetPrerequisites([REDIS], machine)).toThrow(/redis-server is needed/);
  });

  it("are there only with the part that is needed of them", () => {
    const { machine, installed } = machineWith({ whole: ["python3"], canInstall: true });
    meetPrerequisites([PYTHON], machine);
    expect(installed).toEqual([]);

    const without = machineWith({ programs: ["python3"], canInstall: true, brings: ["python3"] });
    meetPrerequisites([PYTHON], without.machine);
    expect(without.installed).toEqual([["python-package"]]);
  });

  it("stop the tests where that part is missing, and say which", () => {
    const { machine } = machineWith({ programs: ["python3"] });
    expect(() => meetPrerequisites([PYTHON], machine)).toThrow(
      /python3 with its module requests is needed .* apt-get install python-package/,
    );
    const named = machineWith({ programs: ["/opt/python3"], variables: { PYTHON: "/opt/python3" } });
    expect(() => meetPrerequisites([PYTHON], named.machine)).toThrow(/let it name a python3 with its module requests/);
  });
});

describe("this machine", () => {
  it("takes the first program on the PATH that proves itself, and none that does not", () => {
    const machine = thisMachine();
    expect(machine.find("sh", ["-c", "exit 0"])).toBe(machine.find("sh"));
    expect(machine.find("sh", ["-c", "exit 3"])).toBeUndefined();
  });
});
