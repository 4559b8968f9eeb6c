import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

const GRACE_MS = 1000;

/** The answer that has its turn on a connection, whether or not it has begun; undefined when all are out. */
export function answerOn(socket: Duplex): ServerResponse | undefined {
  // As `node:http` keeps it, which has no other way to ask.
  return (socket as Duplex & { readonly _httpMessage?: ServerResponse | null })._httpMessage ?? undefined;
}

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
