import type { Readable } from 'node:stream';
import type { Exchange } from '../exchange/exchange.ts';
import { Pieces } from '../exchange/pieces.ts';
import { Problem } from '../problems/problem.ts';
import type { InputFault } from '../upstreams/grpc/status-details.ts';
import { decodedBody } from './request-body.ts';
import type { ByteCall, StreamSource } from '../upstreams/grpc/stream-run.ts';

const NEWLINE = 0x0a;
const NOTHING = Buffer.alloc(0);
const BLANK = /^[\s]*$/;
/** Blank lines are no messages, so that nothing holds them back: a few compressed bytes stand for gigabytes of them. */
const MAX_BLANK_LINES = 10_000;

/** How an upload is read. */
export interface UploadOptions {
  /** Makes a message of a line. */
  readonly encode: (line: Buffer) => Buffer;
  readonly maxLineBytes: number;
  /** Of the whole body, its coding undone. */
  readonly maxBytes: number;
}

/** An NDJSON body as the messages of a call: one line each, no faster than the target takes them. */
export class LineUpload implements StreamSource {
  readonly replayable = false;
  readonly #exchange: Exchange;
  readonly #options: UploadOptions;
  readonly #body: Readable;
  #call: ByteCall | undefined = undefined;
  readonly #pieces = new Pieces();
  #bytes = 0;
  #line = 0;
  #blankLines = 0;

  /** @throws {Problem} `media-type-unsupported` for a content coding that is not known. */
  constructor(exchange: Exchange, options: UploadOptions) {
    this.#exchange = exchange;
    this.#options = options;
    this.#body = decodedBody(exchange);
  }

  send(call: ByteCall, sent: () => void): void {
    this.#call = call;
    this.#body.on('data', this.#read);
    this.#body.once('error', (error) => this.#refuse(new Problem('request-invalid', { cause: error })));
    this.#body.once('end', () => {
      if (this.#call === undefined || !this.#finishLine(NOTHING)) return;
      this.#call.end();
      sent();
    });
  }

  stop(): void {
    this.#call = undefined;
    this.#body.off('data', this.#read);
    // The rest waits for the answer, which decides whether anybody reads it.
    this.#body.pause();
  }

  readonly #read = (chunk: Buffer): void => {
    this.#bytes += chunk.length;
    if (this.#bytes > this.#options.maxBytes) return this.#refuse(new Problem('body-too-large'));
    let start = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, start)) {
      const end = chunk.subarray(start, at);
      if (!this.#fits(end) || !this.#finishLine(end)) return;
      start = at + 1;
    }
    const rest = chunk.subarray(start);
    if (rest.length > 0 && this.#fits(rest)) this.#pieces.push(rest);
  };

  #fits(piece: Buffer): boolean {
    if (this.#pieces.length + piece.length <= this.#options.maxLineBytes) return true;
    this.#refuse(new Problem('body-too-large', { detail: `Line ${this.#line + 1} is too long.` }));
    return false;
  }

  /** Goes on behind a blank line. */
  #skip(): boolean {
    this.#blankLines += 1;
    if (this.#blankLines <= MAX_BLANK_LINES) return true;
    this.#refuse(
      new Problem('request-invalid', { detail: `Line ${this.#line} is one blank line too many.` }),
    );
    return false;
  }

  /** @param end what comes after the pieces; mostly the whole line, which then need not be copied. */
  #finishLine(end: Buffer): boolean {
    let line = end;
    if (this.#pieces.length > 0) {
      this.#pieces.push(end);
      line = this.#pieces.take();
    }
    this.#line += 1;
    const call = this.#call;
    if (call === undefined) return false;
    if (line.length === 0 || (line.length < 3 && BLANK.test(line.toString('latin1')))) return this.#skip();
    this.#blankLines = 0;
    try {
      if (!call.write(this.#options.encode(line))) this.#wait(call);
      return true;
    } catch (error) {
      this.#refuse(inLine(error, this.#line));
      return false;
    }
  }

  // Once for all lines of a chunk: each of them is told that the target is behind.
  #wait(call: ByteCall): void {
    if (this.#body.isPaused()) return;
    this.#body.pause();
    call.once('drain', () => this.#body.resume());
  }

  #refuse(problem: Problem): void {
    if (this.#call === undefined) return;
    this.stop();
    this.#exchange.cancel(problem);
  }
}

/** Says in which line it is, 1-based; the pointers begin with the index of the message in the stream's lines. */
function inLine(error: unknown, line: number): Problem {
  if (!(error instanceof Problem)) return new Problem('internal', { cause: error });
  const errors = (error.extensions?.['errors'] ?? []) as readonly InputFault[];
  return new Problem(error.code, {
    cause: error.cause,
    detail: `Line ${line} is not valid.`,
    extensions: { errors: errors.map((one) => ({ ...one, pointer: `/${line - 1}${one.pointer}` })) },
  });
}
