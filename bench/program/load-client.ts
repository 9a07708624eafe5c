/**
 * The load: raw sockets that count frames, and posts that cost next to nothing to make, so that this process is not
 * what limits the one it measures. Told what to do over IPC; it ends with whoever started it.
 */
import type { Command, Reply } from "../load/command.ts";
import { Load } from "../load/load.ts";

const load = new Load();

function reply(message: Reply): void {
  process.send?.(message);
}

process.on("message", (command: Command) => {
  load.do(command).then(
    (result) => reply({ result: result ?? null }),
    (error: unknown) => reply({ error: error instanceof Error ? error.message : String(error) }),
  );
});
process.on("disconnect", () => process.exit(0));
