import type { Duplex } from 'node:stream';

const GRACE_MS = 1000;

/**
 * Ends a connection after what was written to it. What its client still says is read and dropped: unread, it would
 * hide that the client has left, and the descriptor would stay. Who does not end its side within a second is cut off.
 */
export function endConnection(socket: Duplex): void {
  socket.end();
  socket.resume();
  const cut = setTimeout(() => socket.destroy(), GRACE_MS).unref();
  socket.once('close', () => clearTimeout(cut));
}
