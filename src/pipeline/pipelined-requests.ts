import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Requests of one connection that may wait behind the one that is being answered; a read of the socket can bring as many. */
export const MOST_WAITING = 1000;

/** With fewer the socket is read on, so that the gateway hears when the client leaves. */
const READ_BELOW = 32;

/** How many requests wait, by connection; only for those on which any ever did. */
const waiting = new WeakMap<Socket, number>();

/** Whether the answer to an earlier request of the same connection is still under way (RFC 9112 section 9.3.2). */
export function mustWait({ socket }: ServerResponse): boolean {
  return socket === null;
}

/**
 * Begins with a request when all before it, of the same connection, are answered. `node:http` hands over all that a client
 * has sent in one go: begun at once, one connection would take a place of everybody's at each upstream for every request.
 * From a few dozen on the socket is not read meanwhile; a client with more than {@link MOST_WAITING} requests waiting loses its connection.
 */
export function waitForTurn(request: IncomingMessage, response: ServerResponse, begin: () => void): void {
  const { socket } = request;
  const before = waiting.get(socket) ?? 0;
  // Fail closed: nobody who reads his answers has so much to ask.
  if (before >= MOST_WAITING) return void socket.destroy();
  waiting.set(socket, before + 1);
  queueMicrotask(() => readOn(socket));
  response.once('socket', () => {
    waiting.set(socket, (waiting.get(socket) as number) - 1);
    // Not within: what is written there would be taken for an answer that was ready before.
    queueMicrotask(() => {
      if (socket.destroyed) return;
      readOn(socket);
      begin();
    });
  });
}

// In a microtask: `node:http` sets the socket going at the end of each message, in the next tick.
function readOn(socket: Socket): void {
  if ((waiting.get(socket) as number) < READ_BELOW) socket.resume();
  else socket.pause();
}
