import { ServerResponse, type OutgoingHttpHeader, type OutgoingHttpHeaders } from 'node:http';
import { constants, type ServerHttp2Stream } from 'node:http2';
import type { TunnelResponse } from '../../exchange/tunnel-response.ts';
import { Problem } from '../../problems/problem.ts';
import { hasLength, linesOf, pairsOf } from './answer-lines.ts';
import { endAfterAnswer } from './early-end.ts';
import { firstOfSingles } from './single-fields.ts';
import type { StreamRequest } from './stream-request.ts';
import type { StreamSocket } from './stream-socket.ts';
import { cutWithReason } from './tunnel-stream.ts';

/** How long a client may take nothing of what waits for it, in ms; of an upstream's answer, `timeouts.idle`. */
const UNREAD_MS = 60_000;

/** Says that a tunnel is open. */
const OPENED = 200;
const FIRST_REDIRECT = 300;
const NOT_IMPLEMENTED = 501;
const FIRST_FAULT = 500;

const BODILESS: ReadonlySet<number> = new Set([204, 205, 304]);

type Fields = OutgoingHttpHeaders | OutgoingHttpHeader[];
type Written = (error?: Error | null) => void;

/** The parts of a response of `node:http` that its other methods look at. */
interface Internals {
  _header: string | null;
  finished: boolean;
}

/**
 * An answer over HTTP/2 that is written like one over HTTP/1.1: whoever answers need not know. What is of HTTP/1.1 alone is
 * left out of its head.
 *
 * A client that takes nothing of its answer for too long loses its stream, as it would lose a connection.
 */
export class StreamResponse extends ServerResponse<StreamRequest> implements TunnelResponse {
  /** Of every answer, in ms; specs shorten it. */
  static unreadMs = UNREAD_MS;
  // What is told of the state is that of the stream; the types know only properties that are set.
  static {
    const getters: Readonly<Record<string, (this: StreamResponse) => unknown>> = {
      writableFinished() {
        return this.#isFinished;
      },
      writableEnded() {
        return this.finished;
      },
      writableLength() {
        return this.#stream.writableLength;
      },
      writableHighWaterMark() {
        return this.#stream.writableHighWaterMark;
      },
      writableNeedDrain() {
        return !this.destroyed && !this.finished && this.#stream.writableNeedDrain;
      },
    };
    for (const [name, get] of Object.entries(getters)) Object.defineProperty(this.prototype, name, { get });
  }

  readonly #stream: ServerHttp2Stream;
  readonly #socket: StreamSocket;
  #isBodiless = false;
  #trailers: string[] = [];
  #isTimed = false;
  #isFinished = false;
  #owesTrailers = false;
  /** Whether the stream is somebody else's now, who says when the exchange has ended. */
  #isGivenAway = false;

  constructor(request: StreamRequest, stream: ServerHttp2Stream, socket: StreamSocket) {
    super(request);
    this.#stream = stream;
    this.#socket = socket;
    Object.assign(this, { socket });
    this.shouldKeepAlive = true;
    // Fields may follow every body.
    this.chunkedEncoding = true;
    stream.on('drain', () => this.emit('drain'));
    stream.once('finish', () => this.#finished());
    stream.once('close', () => this.#closed());
  }

  override writeHead(status: number, reason?: string | Fields, fields?: Fields): this {
    const given = typeof reason === 'object' ? reason : fields;
    this.#answer(status, this.#fieldsWith(given), false);
    return this;
  }

  get tunnel(): TunnelResponse['tunnel'] {
    return this.#stream;
  }

  openTunnel(fields: readonly string[]): void {
    if (this.#stream.destroyed || this.headersSent) throw new Error('there is nobody to open a tunnel to');
    const lines = linesOf(pairsOf([...fields]));
    this.#isGivenAway = true;
    this.#respond(OPENED, lines, { endStream: false, waitForTrailers: false });
    cutWithReason(this.#stream, this.#socket);
  }

  override flushHeaders(): void {
    if (!this.headersSent) this.writeHead(this.statusCode);
  }

  override write(chunk: unknown, encoding?: unknown, written?: unknown): boolean {
    if (this.finished || this.destroyed) return false;
    this.flushHeaders();
    if (this.#isBodiless || this.#stream.destroyed) return true;
    const hasRoom = this.#send(chunk as Buffer, encoding, written);
    if (!hasRoom) this.#expectReader();
    return hasRoom;
  }

  override end(chunk?: unknown, encoding?: unknown, finished?: unknown): this {
    if (this.finished) return this;
    const last = typeof chunk === 'function' ? undefined : (chunk as Buffer | string | undefined);
    const done = [chunk, encoding, finished].find((one) => typeof one === 'function');
    if (done !== undefined) this.once('finish', done as Written);
    if (!this.headersSent) this.#beginWith(last, encoding);
    (this as unknown as Internals).finished = true;
    if (this.#stream.destroyed || this.#stream.writableEnded) return this;
    if (last !== undefined && last !== null && !this.#isBodiless) this.#send(last, encoding);
    this.#stream.end();
    if (this.#stream.writableLength > 0) this.#expectReader();
    return this;
  }

  override addTrailers(fields: Parameters<ServerResponse['addTrailers']>[0]): void {
    const entries = Array.isArray(fields) ? pairsOf(fields as OutgoingHttpHeader[]) : Object.entries(fields);
    this.#trailers = linesOf(entries);
  }

  override writeContinue(): void {
    this.#inform({ ':status': 100 });
  }

  override writeProcessing(): void {
    this.#inform({ ':status': 102 });
  }

  override writeEarlyHints(hints: Readonly<Record<string, string | string[]>>, done?: () => void): void {
    this.#inform({ ...hints, ':status': 103 });
    done?.();
  }

  override destroy(error?: Error): this {
    if (!this.destroyed) {
      this.destroyed = true;
      this.#socket.destroy(codeOf(error));
    }
    return this;
  }

  override setTimeout(ms: number, listener?: () => void): this {
    if (listener !== undefined) this.on('timeout', listener);
    this.#socket.setTimeout(ms);
    return this;
  }

  override cork(): void {}

  override uncork(): void {}

  // Whoever ends an answer in one go has not said how long it is.
  #beginWith(chunk: Buffer | string | undefined, encoding: unknown): void {
    const length = chunk === undefined ? 0 : Buffer.byteLength(chunk, encoding as BufferEncoding);
    if (!this.hasHeader('content-length') && !BODILESS.has(this.statusCode) && this.req.method !== 'HEAD')
      this.setHeader('content-length', length);
    this.#answer(this.statusCode, this.#fieldsWith(undefined), length === 0);
  }

  #fieldsWith(given: Fields | undefined): string[] {
    const entries: [string, unknown][] =
      given === undefined ? [] : Array.isArray(given) ? pairsOf(given) : Object.entries(given);
    const names = this.getHeaderNames();
    if (names.length === 0) return linesOf(entries);
    const replaced = new Set(entries.map(([name]) => name.toLowerCase()));
    const kept = names.filter((name) => !replaced.has(name));
    return linesOf([...kept.map((name): [string, unknown] => [name, this.getHeader(name)]), ...entries]);
  }

  #answer(status: number, lines: string[], isEmpty: boolean): void {
    // Fails closed: to an extended CONNECT any success means that a tunnel is open (RFC 8441 section 4), and there is none.
    const isMistaken = this.req.wantsTunnel && status >= OPENED && status < FIRST_REDIRECT;
    this.#isBodiless = isMistaken || this.req.method === 'HEAD' || BODILESS.has(status);
    if (isMistaken) return this.#respond(NOT_IMPLEMENTED, [], { endStream: true, waitForTrailers: false });
    const endStream = this.#isBodiless || isEmpty;
    this.#respond(status, lines, { endStream, waitForTrailers: !endStream && !hasLength(lines) });
  }

  #respond(
    status: number,
    lines: string[],
    options: { readonly endStream: boolean; readonly waitForTrailers: boolean },
  ): void {
    if (this.headersSent) throw new Error('the head of this answer has been written');
    this.statusCode = status;
    // What the other methods of a response go by: no field can be set any more.
    (this as unknown as Internals)._header = ':status';
    if (this.#stream.destroyed || this.#stream.headersSent) return;
    lines.unshift(':status', String(status));
    try {
      this.#stream.respond(lines as never, options);
    } catch {
      this.#stream.respond(firstOfSingles(lines) as never, options);
    }
    this.#owesTrailers = options.waitForTrailers;
    if (options.waitForTrailers) this.#stream.once('wantTrailers', () => this.#sendTrailers());
  }

  #sendTrailers(): void {
    if (this.#stream.destroyed) return;
    try {
      this.#stream.sendTrailers(fieldsOf(this.#trailers));
    } catch {
      // Nobody could catch it, and what the service said twice would be a fault of ours.
      this.#stream.sendTrailers(fieldsOf(firstOfSingles(this.#trailers)));
    }
    this.#owesTrailers = false;
    if (this.#isFinished) this.#leaveRest();
  }

  #send(chunk: Buffer | string, encoding?: unknown, written?: unknown): boolean {
    this.#socket.bytesWritten += chunk.length;
    const done = [encoding, written].find((one) => typeof one === 'function') as Written | undefined;
    const charset = typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8';
    return this.#stream.write(chunk, charset, done);
  }

  #inform(fields: Readonly<Record<string, unknown>>): void {
    if (this.headersSent || this.#stream.destroyed || this.#stream.headersSent) return;
    this.#stream.additionalHeaders(fields as never);
  }

  // The streams of upstreams then set the clock to a time of their own.
  #expectReader(): void {
    if (this.#stream.destroyed) return;
    if (!this.#isTimed) this.#stream.on('timeout', () => this.#endUnread());
    this.#isTimed = true;
    this.#stream.setTimeout(StreamResponse.unreadMs);
  }

  // With nothing to take, it is not the client that is waited for.
  #endUnread(): void {
    if (this.#stream.writableLength > 0) this.#socket.destroy(constants.NGHTTP2_CANCEL);
  }

  #finished(): void {
    if (!this.finished) return;
    this.#isFinished = true;
    if (this.#isTimed) this.#stream.setTimeout(0);
    this.emit('finish');
    if (!this.#owesTrailers) this.#leaveRest();
  }

  // Nobody swallows the rest of a request that was answered before its end, but for a little.
  #leaveRest(): void {
    if (this.req.readableFlowing === null) this.req.resume();
    if (!this.req.complete) endAfterAnswer(this.#stream);
  }

  #closed(): void {
    if (this.#isGivenAway) return void (this.destroyed = true);
    // Both sides may be through before the stream says that ours is.
    const { rstCode, writableLength, aborted } = this.#stream;
    const isWhole = rstCode === constants.NGHTTP2_NO_ERROR && writableLength === 0 && !aborted;
    if (!this.#isFinished && this.finished && isWhole && !this.#socket.isCut) {
      this.#isFinished = true;
      this.emit('finish');
    }
    this.destroyed = true;
    this.req.leave();
    this.emit('close');
  }
}

/** What a client is told by a reset: that nothing has failed, where it is the client's own credential that has ended (RFC 9113 section 7). */
function codeOf(reason: Error | undefined): number {
  const isDenial = reason instanceof Problem && reason.status < FIRST_FAULT;
  return isDenial ? constants.NGHTTP2_CANCEL : constants.NGHTTP2_INTERNAL_ERROR;
}

function fieldsOf(lines: readonly string[]): Record<string, string[]> {
  const fields: Record<string, string[]> = {};
  for (let i = 0; i < lines.length; i += 2) (fields[lines[i] as string] ??= []).push(lines[i + 1] as string);
  return fields;
}
