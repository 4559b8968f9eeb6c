import { ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';

/** The part of a response of `node:http` that nobody has promised; see `canCompose` of `composed-answer.ts`. */
interface Internals {
  _headerSent: boolean;
}

/** A head, and as much of a body as one read of a socket brings. */
const ROOM_BYTES = 80 * 1024;
let room = Buffer.allocUnsafeSlow(ROOM_BYTES);

/**
 * Ends a response with its head and body as one piece of memory, which costs one copy of the body. The memory is used
 * again as soon as the system has taken all of it, which it mostly has when this returns.
 *
 * @param head what the response has for its head already.
 * @returns false when it has to go another way, such as over TLS; nothing was done then.
 */
export function endInOneWrite(response: ServerResponse, head: string, body: Buffer): boolean {
  if (head.length + body.length > ROOM_BYTES || !writesAtOnce(response)) return false;
  const start = room.write(head, 'latin1');
  room.set(body, start);
  (response as unknown as Internals)._headerSent = true;
  response.end(room.subarray(0, start + body.length));
  // The rest of it still lies there, and its client may take its time.
  if (response.writableLength > 0) room = Buffer.allocUnsafeSlow(ROOM_BYTES);
  return true;
}

// Whoever waits for others, or for a client that reads slowly, would keep more memory than it has to say; TLS always does.
function writesAtOnce({ socket, end }: ServerResponse): boolean {
  if (socket === null || socket.writableLength > 0 || end !== ServerResponse.prototype.end) return false;
  return (socket as Partial<TLSSocket>).encrypted !== true;
}
