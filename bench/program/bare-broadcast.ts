/**
 * The yardstick: what a bare broadcast through `ws` costs. A POST brings ready strings, one a line, and each is sent
 * to every socket in a loop, as the documentation of `ws` shows it. No Redis, no GraphQL, nothing parsed: it speaks
 * of graphql-transport-ws only what lets the same client listen to it.
 */
import { createServer } from "node:http";
import { WebSocket, WebSocketServer } from "ws";

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    if (request.method === "POST") {
      for (const ready of Buffer.concat(chunks).toString().split("\n")) {
        for (const socket of sockets.clients) {
          if (socket.readyState === WebSocket.OPEN) socket.send(ready);
        }
      }
    }
    response.writeHead(200, { "content-length": 0 }).end();
  });
});

const sockets = new WebSocketServer({
  server,
  perMessageDeflate: false,
  handleProtocols: () => "graphql-transport-ws",
});

sockets.on("connection", (socket) => {
  socket.on("error", () => socket.terminate());
  socket.on("message", (data) => {
    if (String(data).includes('"connection_init"')) socket.send('{"type":"connection_ack"}');
  });
});

server.listen(Number(process.env.PORT), "127.0.0.1");
process.on("SIGTERM", () => process.exit(0));
