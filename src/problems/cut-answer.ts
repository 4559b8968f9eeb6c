import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * Cuts an answer that has begun, so that its client notices. To a client of HTTP/1.0 the body may end with the connection: an
 * ordinary end would say that it is whole (RFC 9112 section 6.3), so that its connection is reset.
 */
export function cutAnswer(request: IncomingMessage, response: ServerResponse): void {
  const { socket } = response;
  // Of TLS an end without a farewell tells as much; only TCP can be reset.
  const isPlain = socket !== null && !('encrypted' in socket) && !socket.destroyed;
  if (request.httpVersion === '1.0' && isPlain) socket.resetAndDestroy();
  response.destroy();
}
