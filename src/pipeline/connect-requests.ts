import type { FastifyInstance } from 'fastify';
import { ServerResponse, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { answerOn, endConnection } from '../sockets/last-word.ts';

/** No path, whatever the client has sent: no route takes it, and the open stage refuses it. */
const NO_PATH = '*';

/**
 * Answers `CONNECT`, which `node:http` would end without a word: it takes the way of any request through the hooks of open and
 * close, where it is refused, and its answer is the last on its connection. What is owed to earlier requests goes first.
 */
export function answerConnects(fastify: FastifyInstance): void {
  fastify.server.on('connect', (request: IncomingMessage, socket: Duplex) => {
    socket.on('error', () => socket.destroy());
    // Nobody else reads it any more, and a client that leaves would not be noticed.
    socket.resume();
    request.url = NO_PATH;
    inTurn(socket, () => {
      const response = new ServerResponse(request);
      response.assignSocket(socket as never);
      response.shouldKeepAlive = false;
      response.once('finish', () => endConnection(socket));
      fastify.routing(request, response);
    });
  });
}

function inTurn(socket: Duplex, begin: () => void): void {
  // The answer before may have ended the connection.
  if (socket.destroyed || !socket.writable) return;
  const earlier = answerOn(socket);
  if (earlier === undefined) begin();
  else earlier.once('close', () => inTurn(socket, begin));
}
