import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { openSqliteStore, type SqliteStoreOptions } from "./sqlite-store.ts";
import { serveStore } from "./store-server.ts";

if (parentPort === null) throw new Error("sqlite-worker.ts runs as a worker thread");
const port = parentPort;
const serve = serveStore(
  () => openSqliteStore(workerData as SqliteStoreOptions),
  (message) => port.postMessage(message),
);

port.on("message", (first) => {
  const calls = [first];
  for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
    calls.push(next.message);
  }
  if (serve(calls) === "closed") port.close();
});
