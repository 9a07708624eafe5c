import { type AddressInfo, connect, createServer, type NetConnectOpts, type Socket } from "node:net";

/** A TCP proxy on 127.0.0.1 between a client and a server, and what can befall a connection on its way. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** Connections that are open now. */
  readonly connections: number;
  /** Resolves when a client connects from now on, before a byte of it has passed. */
  connected(): Promise<void>;
  /** Ends every connection by a reset towards both sides, bytes under way included; returns how many. */
  cutAll(): number;
  /** Lets nothing more through, either way, of these and of later connections: no side is told. */
  stall(): void;
  /** Lets everything through again, what has waited first. */
  resume(): void;
  close(): Promise<void>;
}

export interface ProxyOptions {
  /** Whether this chunk goes on; what does not is lost without a word. A chunk is what one read gave, not a message. */
  readonly pass?: ((chunk: Buffer, from: "client" | "target") => boolean) | undefined;
}

/**
 * Starts a proxy on a free port.
 * @param target a port of 127.0.0.1, or what `net.connect` takes
 */
export async function createProxy(target: number | NetConnectOpts, { pass }: ProxyOptions = {}): Promise<TcpProxy> {
  const pairs = new Set<readonly [client: Socket, target: Socket]>();
  let waiting: (() => void)[] = [];
  let stalled = false;

  const forward = (from: Socket, to: Socket, side: "client" | "target"): void => {
    from.on("data", (chunk: Buffer) => {
      if (pass !== undefined && !pass(chunk, side)) return;
      if (to.write(chunk)) return;
      from.pause();
      to.once("drain", () => {
        if (!stalled) from.resume();
      });
    });
    from.on("end", () => to.end());
    if (stalled) from.pause();
  };

  const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    const onward = connect({
      ...(typeof target === "number" ? { port: target, host: "127.0.0.1" } : target),
      noDelay: true,
      allowHalfOpen: true,
    });
    const pair = [client, onward] as const;
    pairs.add(pair);
    forward(client, onward, "client");
    forward(onward, client, "target");
    for (const socket of pair) {
      socket.on("error", () => {});
      socket.on("close", () => {
        pairs.delete(pair);
        for (const either of pair) either.destroy();
      });
    }
    for (const resolve of waiting) resolve();
    waiting = [];
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });

  const cutAll = (): number => {
    const cut = [...pairs];
    for (const socket of cut.flat()) socket.resetAndDestroy();
    return cut.length;
  };
  const each = (act: (socket: Socket) => void): void => {
    for (const pair of pairs) pair.forEach(act);
  };
  const close = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    cutAll();
    await closed;
  };

  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return pairs.size;
    },
    connected: () => new Promise((resolve) => waiting.push(resolve)),
    cutAll,
    stall() {
      stalled = true;
      each((socket) => socket.pause());
    },
    resume() {
      stalled = false;
      each((socket) => socket.resume());
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
