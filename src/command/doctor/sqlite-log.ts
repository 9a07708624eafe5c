import { constants } from "node:fs";
import { access, stat, statfs } from "node:fs/promises";
import { connect } from "node:net";
import { dirname, join, resolve } from "node:path";
import { LOG_FILE } from "../../event-log/sqlite/sqlite-event-log.ts";
import { CONTROL_SOCKET } from "../../http/control-socket.ts";
import { type Finding, fail, note, ok } from "./finding.ts";

/** Bytes that must be free: the write-ahead log alone grows to 64 MB, and a batch may have 32 MiB. */
const LEAST_FREE = 256 * 1024 * 1024;
/** Times the file that `npm run forget` needs (docs/operating.md). */
const TO_FORGET = 2;

/** File systems of networks, by what statfs calls them (Linux, statfs(2)): NFS, SMB, CIFS, SMB2. */
const NETWORK_TYPES: ReadonlySet<number> = new Set([0x69_69, 0x51_7b, 0xff_53_4d_42, 0xfe_53_4d_42]);

/** Who has the log's file: a service that runs, nobody, or there is none yet. */
export type Holder = "service" | "nobody" | "no file";

export async function holderOf(dataDir: string): Promise<Holder> {
  if (await isServed(join(dataDir, CONTROL_SOCKET))) return "service";
  return access(join(dataDir, LOG_FILE)).then(
    () => "nobody",
    () => "no file",
  );
}

/** Whether a service takes commands there. */
function isServed(socketPath: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(socketPath);
    const end = (isThere: boolean): void => {
      socket.destroy();
      done(isThere);
    };
    socket.once("connect", () => end(true));
    socket.once("error", () => end(false));
  });
}

/** Whether a file could be made there, as the first start of the service does it. */
export async function lookAtNewFolder(dataDir: string): Promise<Finding> {
  const what = "event log";
  return access(await existing(dataDir), constants.W_OK).then(
    () => ok(what, "SQLite: there is no file yet; the first start makes it"),
    () => fail(what, "SQLite: there is no file yet, and it cannot be made", "Let the service's user write to DATA_DIR"),
  );
}

/** What is left of the disk that the log's file is on, or will be, and whether it is to be trusted. */
export async function lookAtDisk(dataDir: string): Promise<Finding[]> {
  const what = "disk";
  const { bavail, bsize, type } = await statfs(await existing(dataDir));
  const file = await stat(join(dataDir, LOG_FILE)).catch(() => null);
  const free = bavail * bsize;
  const said = `${gibibytes(free)} free`;
  const findings: Finding[] = [];
  if (free < LEAST_FREE) findings.push(fail(what, said, "Make room: on a full disk Mandrill is told 503"));
  else if (free < TO_FORGET * (file?.size ?? 0)) {
    findings.push(note(what, `${said}, less than npm run forget needs (${TO_FORGET} times the log's file)`));
  } else findings.push(ok(what, said));
  if (NETWORK_TYPES.has(type)) {
    findings.push(
      fail(
        "disk",
        "DATA_DIR is on a network file system, whose locks and syncs are not to be trusted",
        "Move it to a local disk",
      ),
    );
  }
  return findings;
}

/** The folder, or the nearest one above it that is there. */
async function existing(folder: string): Promise<string> {
  const path = resolve(folder);
  const isThere = await access(path).then(
    () => true,
    () => false,
  );
  return isThere || dirname(path) === path ? path : existing(dirname(path));
}

function gibibytes(bytes: number): string {
  return `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
}
