import type { SocketOptions } from '../socket.ts';
import type { CarriedStream } from './carried-stream.ts';
import type { Http2Connection } from './http2-connection.ts';
import type { StreamReset } from './http2-faults.ts';

/** Where a connection leads, and what it is for. */
export interface ConnectionOptions extends SocketOptions {
  /** How much of an answer that streams may wait for its reader, in bytes; absent for answers that are awaited as a whole. */
  readonly streamWindow?: number | undefined;
}

/** What a connection tells the pool that it belongs to. */
export interface ConnectionHost {
  /** Another stream may fit now. */
  freed(connection: Http2Connection): void;
  /** A stream comes back that the target has certainly not begun with. */
  refused(stream: CarriedStream, reason: StreamReset): void;
  /** It takes nothing new any more. */
  closing(connection: Http2Connection): void;
}
