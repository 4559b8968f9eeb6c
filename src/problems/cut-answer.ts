import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Problem } from './problem.ts';

const HTTP2 = 2;

/**
 * Cuts an answer that has begun, so that its client notices. To a client of HTTP/1.0 the body may end with the connection: an
 * ordinary end would say that it is whole (RFC 9112 section 6.3), so that its connection is reset.
 *
 * @param reason why, as far as the client can be told: over HTTP/2, by the code of the reset.
 */
export function cutAnswer(request: IncomingMessage, response: ServerResponse, reason?: Problem): void {
  const { socket } = response;
  // Of TLS an end without a farewell tells as much; only TCP can be reset.
  const isPlain = socket !== null && !('encrypted' in socket) && !socket.destroyed;
  if (request.httpVersion === '1.0' && isPlain) socket.resetAndDestroy();
  // A socket of HTTP/1.1 would take it for an error of its own.
  response.destroy(request.httpVersionMajor === HTTP2 ? reason : undefined);
}
