import { IncomingMessage } from 'node:http';
import type { ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { Pieces } from '../../exchange/pieces.ts';
import type { ProblemCode } from '../../problems/catalogue.ts';
import { requestFields } from './request-fields.ts';
import type { StreamSocket } from './stream-socket.ts';

/** Pieces of at least this size go on as they are. */
const WORTH_KEEPING_BYTES = 4 * 1024;
/** The part of a stream that says whether all of it is there, read or not. */
interface Received {
  readonly _readableState: { readonly ended: boolean };
}
const NO_LENGTH = 'chunked';
/** Stands for a method that nobody knows: what a client calls it goes into no line of ours. */
const UNKNOWN_METHOD = '_OTHER';
const CONNECT = 'CONNECT';
const WEB_SOCKET = 'websocket';
/** No path: no route takes it. */
const NO_TARGET = '*';

type Refusal = Extract<ProblemCode, 'headers-too-large' | 'method-not-implemented'>;

/** The part of a request of `node:http` that takes its fields. */
interface Internals {
  _addHeaderLines(lines: string[], length: number): void;
}

/** The part of a stream that tells whether its end has come, read or not. */

/**
 * A request over HTTP/2 that looks like one over HTTP/1.1 to everybody behind it: what is matched, limited, checked and
 * forwarded is the same message. Only the version tells.
 */
export class StreamRequest extends IncomingMessage {
  /** As the client says it; the connection decides. */
  readonly scheme: string;
  /** Whether it asks for a WebSocket (RFC 8441 section 5); it is then a `GET` with `Upgrade`, as over HTTP/1.1. */
  wantsTunnel: boolean;
  /** What log lines say in place of its method; undefined for the method itself. */
  shownMethod: string | undefined = undefined;
  /** What speaks against it before anything of it is looked at. */
  refusal: Refusal | undefined = undefined;
  readonly #stream: ServerHttp2Stream;
  readonly #socket: StreamSocket;
  #held: Pieces | undefined = undefined;
  #isDue = false;
  #isRead = false;

  constructor(stream: ServerHttp2Stream, raw: readonly string[], socket: StreamSocket) {
    super(socket as unknown as Socket);
    const { method, target, scheme, protocol, lines } = requestFields(raw);
    this.#stream = stream;
    this.#socket = socket;
    this.wantsTunnel = method === CONNECT && protocol === WEB_SOCKET;
    this.method = this.wantsTunnel ? 'GET' : method;
    // A CONNECT for another protocol is one for nothing that is here.
    this.url = method === CONNECT && !this.wantsTunnel ? NO_TARGET : target;
    this.scheme = scheme;
    // As the parser of `node:http` does it: fields that stand twice are joined, or the first one holds, by the same rules.
    (this as unknown as Internals)._addHeaderLines(lines, lines.length);
    this.httpVersion = '2.0';
    this.httpVersionMajor = 2;
    this.httpVersionMinor = 0;
    if (this.wantsTunnel) this.#expectTunnel();
    else if (stream.endAfterHeaders) this.#complete();
    else this.#expectBody();
  }

  /** Has it refused as soon as there is somebody to do so. */
  refuse(refusal: Refusal): void {
    if (this.wantsTunnel) this.refuseTunnel();
    this.refusal = refusal;
    if (refusal !== 'method-not-implemented') return;
    // Whoever routes by methods has one that he knows, and none that a client makes up.
    this.method = CONNECT;
    this.shownMethod = UNKNOWN_METHOD;
  }

  /** Nobody opens a tunnel for it: it is refused as any other CONNECT. */
  refuseTunnel(): void {
    this.wantsTunnel = false;
    this.method = CONNECT;
    this.url = NO_TARGET;
    delete this.headers.upgrade;
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

  // What comes after the head is for whoever opens the tunnel, and waits in the stream until then.
  #expectTunnel(): void {
    this.headers.upgrade = WEB_SOCKET;
    this.#complete();
    this.#gather();
  }

  #expectBody(): void {
    const { headers } = this;
    // A body of unknown length is one of chunks to everybody; the coding itself is of HTTP/1.1 and goes nowhere.
    if (headers['content-length'] === undefined) headers['transfer-encoding'] = NO_LENGTH;
    this.#stream.once('trailers', (_fields: object, _flags: number, raw?: string[]) => {
      this.rawTrailers = raw ?? [];
    });
    this.#gather();
    // What came with the first bytes of a connection is there before anybody hears of the stream, perhaps to its end.
    if (!(this.#stream as unknown as Received)._readableState.ended) return;
    // The end of an empty body was told to nobody.
    if (this.#stream.readableLength === 0) this.#complete();
    else this.complete = true;
  }

  #gather(): void {
    const stream = this.#stream;
    this.#push = stream.push.bind(stream);
    // What comes in tiny frames is put together before it waits: each would be kept by itself, at many times its size.
    stream.push = (chunk: Buffer | null): boolean => this.#arrived(chunk);
    this.#socket.bytesRead += stream.readableLength;
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
