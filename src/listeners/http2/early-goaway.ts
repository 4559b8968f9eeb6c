import { writeSync } from 'node:fs';
import type { ServerHttp2Session } from 'node:http2';

/** No error, and a stream id that no client can reach. */
const FRAME = Buffer.of(0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0);

/** The parts of the handle of a TCP connection that are looked at. */
interface Handle {
  /** Below 0 where the system has none. */
  readonly fd?: number;
  readonly bytesWritten: number;
  /** Bytes that the system has not taken yet. */
  readonly writeQueueSize: number;
}

/** What is looked at of a connection. */
interface Connection {
  readonly encrypted?: boolean;
  readonly _handle?: Handle | null;
}

/**
 * Tells a client over HTTP/2 that its connection ends, and refuses nothing: streams that it opens before it hears of it are
 * served, which is the first of the two steps of RFC 9113 section 6.8. After a GOAWAY of its own, whatever stream that names,
 * the library takes no stream any more, and answers none; so the frame goes past it.
 *
 * @returns whether it was sent. Not over TLS, where nothing goes past the library, and not while the client has not taken what
 * was sent before, or before the server's SETTINGS.
 */
export function sendEarlyGoaway(session: ServerHttp2Session): boolean {
  if (session.destroyed) return false;
  const { encrypted, _handle: handle } = session.socket as Connection;
  if (encrypted === true || handle?.fd === undefined || handle.fd < 0) return false;
  // The library writes whole frames at a time: there is never a part of one in the system with nothing waiting to follow it.
  if (handle.bytesWritten === 0 || handle.writeQueueSize > 0) return false;
  try {
    // Half a frame makes nonsense of all that follows.
    if (writeSync(handle.fd, FRAME) !== FRAME.length) session.destroy();
    return true;
  } catch {
    // The system takes nothing just now, or the client has left.
    return false;
  }
}
