import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** nginx as compose runs it in front of the instances. */
export interface Nginx extends AsyncDisposable {
  /** Where it listens, e.g. `http://127.0.0.1:8080`. */
  readonly url: string;
  readonly socketUrl: string;
}

/** The file that docker-compose.yml mounts. */
const CONFIGURATION = new URL("../../deploy/nginx.conf", import.meta.url);

/**
 * Starts nginx with the configuration of deploy/nginx.conf: what is changed in it is the port, and the names of the two
 * instances, in the order of `urls`.
 */
export async function startNginx(urls: readonly [string, string]): Promise<Nginx> {
  const folder = await mkdtemp(join(tmpdir(), "mandrill-live-nginx-"));
  const port = await freePort();
  let site = await readFile(CONFIGURATION, "utf8");
  const replace = (text: string, by: string): void => {
    if (!site.includes(text)) throw new Error(`deploy/nginx.conf has no ${text}`);
    site = site.replaceAll(text, by);
  };
  replace("listen 8080;", `listen 127.0.0.1:${port};`);
  replace("/dev/stdout", `${folder}/access.log`);
  for (const [i, url] of urls.entries()) replace(`app-${i + 1}:4000`, new URL(url).host);
  await writeFile(join(folder, "site.conf"), site);
  await writeFile(join(folder, "nginx.conf"), surroundings(folder));
  const child = spawn(
    process.env.NGINX || "nginx",
    ["-p", folder, "-c", join(folder, "nginx.conf"), "-e", join(folder, "error.log"), "-g", "daemon off;"],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  const killWithTests = (): void => void child.kill("SIGKILL");
  process.once("exit", killWithTests);
  const url = `http://127.0.0.1:${port}`;
  await untilListening(child, folder, `${url}/health`);
  return {
    url,
    socketUrl: `ws://127.0.0.1:${port}/graphql`,
    async [Symbol.asyncDispose]() {
      process.off("exit", killWithTests);
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What the image's own nginx.conf has around a site. */
function surroundings(folder: string): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  return `
worker_processes 1;
pid ${folder}/nginx.pid;
events { worker_connections 1024; }
http {
  ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join("\n  ")}
  include ${folder}/site.conf;
}
`;
}

/** nginx opens its port before it says anything: it is asked, and each refusal is the time for the next question. */
async function untilListening(child: ChildProcess, folder: string, url: string): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`nginx ended:\n${await readFile(join(folder, "error.log"), "utf8")}`);
    const answered = await fetch(url).then(
      ({ ok }) => ok,
      () => false,
    );
    if (answered) return;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}
