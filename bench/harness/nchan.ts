import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Child, freePort, httpReady, startChild } from "./child.ts";
import { MEASURED_CORE } from "./machine.ts";

/** nginx with the Nchan module, as Debian's libnginx-mod-nchan installs it. */
export interface NchanProgram {
  readonly nginx: string;
  /** Path of the module; null where it is built in. */
  readonly module: string | null;
}

const MODULES = ["/usr/lib/nginx/modules/ngx_nchan_module.so", "/usr/lib64/nginx/modules/ngx_nchan_module.so"];

/** null where it is not installed. The bench installs nothing. */
export function findNchan(): NchanProgram | null {
  for (const nginx of ["nginx", "/usr/sbin/nginx"]) {
    const { status, stderr } = spawnSync(nginx, ["-V"], { encoding: "utf8" });
    if (status !== 0) continue;
    const module = MODULES.find((path) => existsSync(path));
    if (module !== undefined) return { nginx, module };
    if (stderr.includes("nchan")) return { nginx, module: null };
  }
  return null;
}

/** Starts nginx with one worker and one channel, in memory. */
export async function startNchan(
  { nginx, module }: NchanProgram,
  folder: string,
): Promise<{ readonly child: Child; readonly workerPid: number; readonly port: number }> {
  const port = await freePort();
  const file = join(folder, "nginx.conf");
  writeFileSync(file, configuration(port, folder, module));
  const child = startChild({
    core: MEASURED_CORE,
    command: nginx,
    args: ["-p", folder, "-c", file, "-e", join(folder, "error.log"), "-g", "daemon off;"],
  });
  await httpReady(port);
  const [workerPid] = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8")
    .trim()
    .split(" ")
    .map(Number);
  if (workerPid === undefined || Number.isNaN(workerPid)) throw new Error("nginx has no worker process");
  return { child, workerPid, port };
}

function configuration(port: number, folder: string, module: string | null): string {
  return `
${module === null ? "" : `load_module ${module};`}
worker_processes 1;
worker_rlimit_nofile 8192;
pid ${folder}/nginx.pid;
events { worker_connections 8000; }
http {
  access_log off;
  keepalive_requests 1000000000;
  tcp_nodelay on;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  nchan_shared_memory_size 256m;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location = /ready { return 200; }
    location = /publish {
      nchan_publisher;
      nchan_channel_id bench;
      nchan_message_buffer_length 100;
      nchan_message_timeout 10s;
    }
    location = /listen {
      nchan_subscriber websocket;
      nchan_channel_id bench;
      nchan_subscriber_first_message newest;
    }
  }
}
`;
}
