import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { Command } from "ioredis";
import type { RedisClient } from "./connection.ts";

const textOf = (file: string) => readFileSync(new URL(file, import.meta.url), "utf8");

/** A Lua script, known to Redis by its hash. Every key that it touches is given to it. */
export class Script {
  readonly name: string;
  readonly text: string;
  readonly #sha: string;

  constructor(name: string, text: string) {
    this.name = name;
    this.text = text;
    this.#sha = createHash("sha1").update(text).digest("hex");
  }

  /** Runs the script; sends its text where Redis does not know it, or has forgotten it in a restart. */
  async run(client: RedisClient, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    try {
      return await send(client, "evalsha", [this.#sha, keys.length, ...keys, ...args]);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith("NOSCRIPT"))) throw error;
      return send(client, "eval", [this.text, keys.length, ...keys, ...args]);
    }
  }
}

/** As one array: a large batch has more values than a call takes arguments. */
function send(client: RedisClient, name: string, args: (string | number)[]): Promise<unknown> {
  return client.sendCommand(new Command(name, args, { replyEncoding: "utf8" })) as Promise<unknown>;
}

const script = (name: string) => new Script(name, `${textOf("./prelude.lua")}\n${textOf(`./${name}.lua`)}`);

/** Each is described in the head of its file. */
export const SCRIPTS = {
  append: script("append"),
  borders: script("borders"),
  look: script("look"),
  renew: script("renew"),
  trim: script("trim"),
  trimmed: script("trimmed"),
} as const;
