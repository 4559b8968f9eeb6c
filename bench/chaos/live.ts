import type { IncomingMessage, RequestListener, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';

const EVENT_EVERY_MS = 250;

/** Numbered events without an end, from the one after `Last-Event-ID` on. */
export const sendEvents: RequestListener = (request, response) => {
  let id = Number(request.headers['last-event-id'] ?? 0);
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const timer = setInterval(() => {
    id += 1;
    response.write(`id: ${id}\ndata: ${id}\n\n`);
  }, EVENT_EVERY_MS);
  response.once('close', () => clearInterval(timer));
};

/** Has a server send back what it hears on WebSockets. */
export function echoSockets(server: Server): void {
  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: 2 ** 20,
    perMessageDeflate: false,
    autoPong: true,
    allowSynchronousEvents: true,
    closeTimeout: 1000,
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
    sockets.handleUpgrade(request, socket, head, (client) => {
      client.on('error', () => undefined);
      client.on('message', (data, isBinary) => client.send(data, { binary: isBinary }));
    }),
  );
}
