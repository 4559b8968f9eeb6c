/**
 * The bare twin of the gateway for `npm run bench:sockets`: `ws` on both sides, message by message, and nothing else. Its port is
 * the first argument, that of the service the second.
 *
 * @module
 */
import { createServer } from 'node:http';
import { WebSocket, WebSocketServer } from 'ws';

const [port, servicePort] = process.argv.slice(2).map(Number);
const sockets = new WebSocketServer({
  noServer: true,
  clientTracking: false,
  maxPayload: 2 ** 20,
  perMessageDeflate: false,
  autoPong: true,
  allowSynchronousEvents: true,
  closeTimeout: 1000,
});
const server = createServer();
server.on('upgrade', (request, socket, head) => {
  const behind = new WebSocket(`ws://127.0.0.1:${servicePort}${request.url}`, [], {
    perMessageDeflate: false,
  } as never);
  behind.once('close', () => socket.destroy()).on('error', () => undefined);
  behind.on('open', () =>
    sockets.handleUpgrade(request, socket, head, (client) => {
      client.on('message', (data, binary) => behind.send(data, { binary }));
      behind.on('message', (data, binary) => client.send(data, { binary }));
      client.once('close', () => behind.terminate());
    }),
  );
});
server.listen(port, '127.0.0.1');
