import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/**
 * Tests by what they need: nothing, an event log of each kind, one kind of it, time for odd input, the whole service,
 * the repository itself.
 */
const PROJECTS = ["unit", "contract", "store", "fuzz", "journey", "audit", "browser", "repository"];

export default defineConfig({
  // graphql brings two builds of itself. Node takes the one that `main` names; Vite would take the other for our own
  // files, and the libraries beside them the first: two realms, whose types do not know each other.
  resolve: { alias: [{ find: /^graphql$/, replacement: fileURLToPath(import.meta.resolve("graphql")) }] },
  test: {
    globalSetup: "test/setup/prerequisites.ts",
    // Test files start servers of their own: two at a time leave them room on a small machine.
    maxWorkers: 2,
    projects: PROJECTS.map((name) => ({
      extends: true,
      test: {
        name,
        include: [`test/${name}/**/*.test.ts`],
        environment: "node",
        testTimeout: 30_000,
        hookTimeout: 30_000,
        // The default, 1 s, is less than a browser needs to start beside another one.
        expect: { poll: { timeout: 20_000 } },
        retry: 0,
        allowOnly: false,
        passWithNoTests: false,
      },
    })),
  },
});
