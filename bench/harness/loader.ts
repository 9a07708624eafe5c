import { fileURLToPath } from "node:url";
import type {
  Command,
  ConnectCommand,
  PostCommand,
  Posted,
  Probed,
  Reply,
  ReturnCommand,
  Returned,
  Target,
} from "../load/command.ts";
import type { Recipients } from "../load/request-body.ts";
import { startChild } from "./child.ts";
import { LOAD_CORE } from "./machine.ts";

const PROGRAM = fileURLToPath(new URL("../program/load-client.ts", import.meta.url));

/** A load client process of its own, on the core of the load. */
export interface Loader {
  connect(options: Omit<ConnectCommand, "name">): Promise<void>;
  probe(recipients: Recipients): Promise<Probed>;
  post(options: Omit<PostCommand, "name">): Promise<Posted>;
  leave(missed: number): Promise<void>;
  return(options: Omit<ReturnCommand, "name">): Promise<Returned>;
  drop(): Promise<void>;
  stop(): Promise<void>;
}

export function startLoader(target: Target): Loader {
  const child = startChild({ core: LOAD_CORE, command: process.execPath, args: [PROGRAM], ipc: true });
  const ask = (command: Command): Promise<unknown> => {
    return new Promise((resolve, reject) => {
      child.process.once("message", (reply: Reply) => {
        if ("error" in reply) reject(new Error(`${command.name}, port ${target.port}: ${reply.error}`));
        else resolve(reply.result);
      });
      child.process.send(command);
    });
  };
  return {
    connect: async (options) => void (await ask({ ...options, name: "connect" })),
    probe: async (recipients) => (await ask({ name: "probe", recipients })) as Probed,
    post: async (options) => (await ask({ ...options, name: "post" })) as Posted,
    leave: async (missed) => void (await ask({ name: "leave", missed })),
    return: async (options) => (await ask({ ...options, name: "return" })) as Returned,
    drop: async () => void (await ask({ name: "drop" })),
    stop: () => child.stop(),
  };
}
