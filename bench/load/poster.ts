import { connect, type Socket } from "node:net";

/** A raw keep-alive HTTP connection on which one post at a time is under way. */
export class Poster {
  readonly #socket: Socket;
  #text = "";
  #due = 0;
  #answers: string[] = [];
  #settle: PromiseWithResolvers<readonly string[]> | null = null;
  #error: Error | null = null;

  constructor(host: string, port: number) {
    this.#socket = connect({ host, port, noDelay: true });
    this.#socket.setEncoding("latin1");
    this.#socket.on("data", (text: string) => this.#read(text));
    this.#socket.on("error", (error) => this.#fail(error));
    this.#socket.on("close", () => this.#fail(new Error("the server closed a connection")));
  }

  /** Writes HTTP requests; resolves to the bodies of their answers. Rejects where one is not answered 200 or 201 or 202. */
  post(requests: readonly Buffer[], count: number): Promise<readonly string[]> {
    if (this.#error !== null) return Promise.reject(this.#error);
    this.#answers = [];
    this.#due = count;
    this.#settle = Promise.withResolvers();
    this.#socket.cork();
    for (const part of requests) this.#socket.write(part);
    this.#socket.uncork();
    return this.#settle.promise;
  }

  close(): void {
    this.#error ??= new Error("the connection is closed");
    this.#socket.destroy();
  }

  #read(text: string): void {
    this.#text += text;
    for (;;) {
      const headEnd = this.#text.indexOf("\r\n\r\n");
      if (headEnd === -1) return;
      const head = this.#text.slice(0, headEnd);
      const length = /^content-length: *(\d+)/im.exec(head)?.[1];
      if (length === undefined) {
        this.#fail(new Error(`an answer has no Content-Length: ${head}`));
        return;
      }
      const end = headEnd + 4 + Number(length);
      if (this.#text.length < end) return;
      const body = this.#text.slice(headEnd + 4, end);
      this.#text = this.#text.slice(end);
      if (!/^HTTP\/1\.1 20[012] /.test(head)) {
        this.#fail(new Error(`a post was answered ${head.slice(9, head.indexOf("\r\n"))}: ${body.slice(0, 300)}`));
        return;
      }
      this.#answers.push(body);
      if (this.#answers.length === this.#due) this.#settle?.resolve(this.#answers);
    }
  }

  #fail(error: Error): void {
    this.#error ??= error;
    this.#settle?.reject(this.#error);
  }
}
