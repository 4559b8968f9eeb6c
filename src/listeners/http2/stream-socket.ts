import { constants, type ServerHttp2Stream } from 'node:http2';
import { setConnection, type ClientConnection } from '../../exchange/client-connection.ts';

/**
 * What an HTTP/2 stream is to those who know connections: one client, one request, one answer. It has the part of a socket
 * that they use. What is counted is of the stream alone: others of the same connection keep nobody alive.
 */
export class StreamSocket {
  bytesRead = 0;
  bytesWritten = 0;
  /** Whether it was us who ended it before its answer was out. */
  isCut = false;
  readonly stream: ServerHttp2Stream;
  readonly remoteAddress: string;

  constructor(stream: ServerHttp2Stream, connection: ClientConnection) {
    this.stream = stream;
    this.remoteAddress = connection.peer;
    setConnection(this, connection);
  }

  get destroyed(): boolean {
    return this.stream.destroyed || this.stream.closed;
  }

  get writable(): boolean {
    return this.stream.writable;
  }

  get readable(): boolean {
    return this.stream.readable;
  }

  get readableHighWaterMark(): number {
    return this.stream.readableHighWaterMark;
  }

  get writableLength(): number {
    return this.stream.writableLength;
  }

  /** Ends the stream in a way that the client notices: what was answered so far is not all. @param code an error code of HTTP/2. */
  destroy(code: unknown = constants.NGHTTP2_INTERNAL_ERROR): this {
    if (this.destroyed) return this;
    this.isCut = true;
    this.stream.close(typeof code === 'number' ? code : constants.NGHTTP2_INTERNAL_ERROR);
    return this;
  }

  /** Ends the stream, too: nobody may go on with what is left. */
  destroySoon(): void {
    this.destroy();
  }

  /** @param ms how long the client may take nothing of what waits for it; 0 for ever. */
  setTimeout(ms: number): this {
    if (!this.destroyed) this.stream.setTimeout(ms);
    return this;
  }

  pause(): this {
    this.stream.pause();
    return this;
  }

  resume(): this {
    this.stream.resume();
    return this;
  }

  /** Answers go out as they are written. */
  cork(): void {}

  /** See {@link cork}. */
  uncork(): void {}
}
