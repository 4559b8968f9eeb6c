import { IncomingMessage } from 'node:http';
import type { ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { Pieces } from '../../exchange/pieces.ts';
import { requestFields } from './request-fields.ts';
import type { StreamSocket } from './stream-socket.ts';

/** Pieces of at least this size go on as they are. */
const WORTH_KEEPING_BYTES = 4 * 1024;
const NO_LENGTH = 'chunked';

/** The part of a request of `node:http` that takes its fields. */
interface Internals {
  _addHeaderLines(lines: string[], length: number): void;
}

/** The part of a stream that tells whether its end has come, read or not. */
interface StreamInternals {
  readonly _readableState: { readonly ended: boolean };
}

/**
 * A request over HTTP/2 that looks like one over HTTP/1.1 to everybody behind it: what is matched, limited, checked and
 * forwarded is the same message. Only the version tells.
 */
export class StreamRequest extends IncomingMessage {
  /** As the client says it; the connection decides. */
  readonly scheme: string;
  readonly #stream: ServerHttp2Stream;
  readonly #socket: StreamSocket;
  #held: Pieces | undefined = undefined;
  #isDue = false;
  #isRead = false;

  constructor(stream: ServerHttp2Stream, raw: readonly string[], socket: StreamSocket) {
    super(socket as unknown as Socket);
    const { method, target, scheme, lines } = requestFields(raw);
    this.#stream = stream;
    this.#socket = socket;
    this.method = method;
    this.url = target;
    this.scheme = scheme;
    // As the parser of `node:http` does it: fields that stand twice are joined, or the first one holds, by the same rules.
    (this as unknown as Internals)._addHeaderLines(lines, lines.length);
    this.httpVersion = '2.0';
    this.httpVersionMajor = 2;
    this.httpVersionMinor = 0;
    if (stream.endAfterHeaders) this.#complete();
    else this.#expectBody();
  }

  override _read(): void {
    if (this.#isRead) return void this.#stream.resume();
    this.#isRead = true;
    if (this.complete && this.#stream.endAfterHeaders) return;
    this.#stream.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) this.#stream.pause();
    });
    this.#stream.once('end', () => this.#complete());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.readableEnded || !this.complete) {
      this.aborted = true;
      this.emit('aborted');
    }
    if (!this.complete && !this.#socket.destroyed) this.#socket.destroy();
    // As `node:http` does it: nobody has to listen to the fate of a request that was given up.
    process.nextTick(done, this.listenerCount('error') === 0 ? null : error);
  }

  /** The client has left, or was sent away, before its request was complete. */
  leave(): void {
    if (this.complete || this.destroyed) return;
    this.destroy(Object.assign(new Error('aborted'), { code: 'ECONNRESET' }));
  }

  /** Hands on what is held of the body. */
  handOnDue(): void {
    this.#isDue = false;
    this.#handOn();
  }

  #complete(): void {
    this.complete = true;
    this.push(null);
  }

  #expectBody(): void {
    const { headers } = this;
    // A body of unknown length is one of chunks to everybody; the coding itself is of HTTP/1.1 and goes nowhere.
    if (headers['content-length'] === undefined) headers['transfer-encoding'] = NO_LENGTH;
    this.#stream.once('trailers', (_fields: object, _flags: number, raw?: string[]) => {
      this.rawTrailers = raw ?? [];
    });
    const stream = this.#stream;
    // What came in the same read as the head is there before anybody hears of the stream, perhaps to its end.
    this.#socket.bytesRead += stream.readableLength;
    this.complete = (stream as unknown as StreamInternals)._readableState.ended;
    const push = stream.push.bind(stream);
    this.#push = push;
    // What comes in tiny frames is put together before it waits: each would be kept by itself, at many times its size.
    stream.push = (chunk: Buffer | null): boolean => this.#arrived(chunk);
  }

  #push: (chunk: Buffer | null) => boolean = () => true;

  #arrived(chunk: Buffer | null): boolean {
    if (chunk === null) {
      this.#handOn();
      this.complete = true;
      return this.#push(null);
    }
    this.#socket.bytesRead += chunk.length;
    if (chunk.length >= WORTH_KEEPING_BYTES) {
      this.#handOn();
      return this.#push(chunk);
    }
    this.#held ??= new Pieces();
    this.#held.push(chunk);
    if (!this.#isDue) setImmediate(handOn, this);
    this.#isDue = true;
    const { readableLength, readableHighWaterMark } = this.#stream;
    return readableLength + this.#held.length < readableHighWaterMark;
  }

  #handOn(): void {
    if (this.#held !== undefined && this.#held.length > 0 && !this.#stream.destroyed)
      this.#push(this.#held.take());
  }
}

function handOn(request: StreamRequest): void {
  request.handOnDue();
}
