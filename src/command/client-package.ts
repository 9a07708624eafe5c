import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

/**
 * Writes the package.json of the built client, into dist/client or the folder that is named: a package of its own, so
 * that a front end installs the client without the service and all that it needs. `npm run build:client` calls it.
 */
const folder = process.argv[2] ?? fileURLToPath(new URL("../../dist/client", import.meta.url));
const root = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8"));

const description = {
  name: root.name,
  version: root.version,
  description: "A graphql-ws client for mandrill-live that misses nothing: its subscriptions go on where they were.",
  license: root.license,
  type: "module",
  exports: {
    "./client": { types: "./resuming-client.d.ts", default: "./resuming-client.js" },
    "./package.json": "./package.json",
  },
  peerDependencies: { "graphql-ws": root.dependencies["graphql-ws"] },
};
await writeFile(`${folder}/package.json`, `${JSON.stringify(description, null, 2)}\n`);
