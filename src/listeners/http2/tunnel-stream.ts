import { constants, type ServerHttp2Stream } from 'node:http2';
import type { StreamSocket } from './stream-socket.ts';

/** Has a stream end as connections do: whoever destroys it says so to the client (RFC 8441 section 5). */
export function cutWithReason(stream: ServerHttp2Stream, socket: StreamSocket): void {
  const destroy = stream.destroy.bind(stream);
  stream.destroy = (error) => {
    const isOpen = !stream.closed && !stream.destroyed && stream.session?.destroyed === false;
    if (isOpen) socket.destroy(constants.NGHTTP2_CANCEL);
    return destroy(error);
  };
}
