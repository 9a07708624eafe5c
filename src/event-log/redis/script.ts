import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { type ChainableCommander, Command } from "ioredis";
import type { RedisClient } from "./connection.ts";

const textOf = (file: string) => readFileSync(new URL(file, import.meta.url), "utf8");

/** A value that a script is given: as text, or as bytes. */
export type ScriptValue = string | number | Uint8Array;

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

  /** Puts the script into a pipeline, where it fails with NOSCRIPT unless Redis knows it. */
  queue(pipeline: ChainableCommander, keys: readonly string[], args: readonly (string | number)[]): void {
    pipeline.evalsha(this.#sha, keys.length, ...keys, ...args);
  }

  /** Runs the script; sends its text where Redis does not know it, or has forgotten it in a restart. */
  run(client: RedisClient, keys: readonly string[], args: readonly ScriptValue[]): Promise<unknown> {
    return this.#run(client, keys, args, "utf8");
  }

  /** The same, but texts are replied as bytes. */
  runForBytes(client: RedisClient, keys: readonly string[], args: readonly ScriptValue[]): Promise<unknown> {
    return this.#run(client, keys, args, null);
  }

  async #run(
    client: RedisClient,
    keys: readonly string[],
    args: readonly ScriptValue[],
    encoding: "utf8" | null,
  ): Promise<unknown> {
    try {
      return await send(client, "evalsha", [this.#sha, keys.length, ...keys, ...args], encoding);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith("NOSCRIPT"))) throw error;
      return send(client, "eval", [this.text, keys.length, ...keys, ...args], encoding);
    }
  }
}

/** Written as bytes: of a long string Node takes three times the memory to write it to a socket, and gives it back. */
class BytesCommand extends Command {
  override toWritable(socket: object): Buffer {
    const written = super.toWritable(socket);
    return typeof written === "string" ? Buffer.from(written) : written;
  }
}

/** As one array: a large batch has more values than a call takes arguments. */
function send(client: RedisClient, name: string, args: ScriptValue[], replyEncoding: "utf8" | null): Promise<unknown> {
  const values = args.map((arg) =>
    arg instanceof Uint8Array ? Buffer.from(arg.buffer, arg.byteOffset, arg.length) : arg,
  );
  return client.sendCommand(new BytesCommand(name, values, { replyEncoding })) as Promise<unknown>;
}

/** @param before files that stand before the script's own, behind the prelude */
const script = (name: string, ...before: string[]) =>
  new Script(name, ["prelude", ...before, name].map((file) => textOf(`./${file}.lua`)).join("\n"));

/** What changes the index as well, with the part for one form of it. */
const indexScripts = (form: "terms" | "sets") => ({
  append: script("append", `append-${form}`),
  trim: script("trim", `trim-${form}`),
  erase: script("erase", `erase-${form}`),
});

export type IndexScripts = ReturnType<typeof indexScripts>;

/** Each is described in the head of its file. */
export const SCRIPTS = {
  borders: script("borders"),
  convert: script("convert"),
  look: script("look"),
  lookup: script("lookup"),
  mark: script("mark"),
  removeSets: script("remove-sets"),
  renew: script("renew"),
  revoke: script("revoke"),
  revoked: script("revoked"),
  scrub: script("scrub"),
  seal: script("seal"),
  trimmed: script("trimmed"),
  ofTerms: indexScripts("terms"),
  ofSets: indexScripts("sets"),
} as const;
