import { AnswerHead } from './answer-head.ts';
import { AnswerTrailers } from './answer-trailers.ts';
import { MalformedAnswer } from './http1-faults.ts';
import { checkRefusal, checkSwitch, type ParsedAnswerSink } from './parsed-answer.ts';

/** What an answer may be like. */
export interface AnswerLimits {
  /** Largest head, and largest trailers, in bytes. Default 16 KiB, what `node:http` accepts. */
  readonly maxHeadBytes?: number | undefined;
}

const SWITCHING = 101;
const MAX_HEAD_BYTES = 16_384;
/** A line with the size of a chunk and its extensions. */
const MAX_SIZE_LINE_BYTES = 1024;
/** Extensions of all chunks of one answer, which mean nothing to us: as much as a head. */
const MAX_EXTENSION_BYTES = 16_384;
/** Interim answers before one that counts: a service that says every ten seconds that it is at work has ten minutes. */
const MAX_INTERIM_HEADS = 64;

const VERSION = 'HTTP/1.';
const BARE_LF = /(?<!\r)\n/;
const LENGTH = /^\d{1,15}$/;
const CHUNK_SIZE = /^([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n\0]*)?$/;
/** Chunks up to this are moved byte by byte. */
const SMALL_CHUNK_BYTES = 64;
/** A size of more digits is refused. */
const MAX_SIZE_DIGITS = 8;
const [CR, LF] = [13, 10];
/** The value of each byte as a hexadecimal digit; -1 for what is none. */
const HEX = Int8Array.from({ length: 256 }, (_, byte) => {
  const digit = String.fromCharCode(byte);
  return /^[0-9A-Fa-f]$/.test(digit) ? Number.parseInt(digit, 16) : -1;
});
const NOTHING = Buffer.alloc(0);
const NO_LIMITS: AnswerLimits = {};

/** What the parser expects next. */
type Expected = 'head' | 'body' | 'size' | 'chunk' | 'line' | 'trailers' | 'rest' | 'nothing' | 'switched';

/**
 * Reads answers of HTTP/1.1 (RFC 9112), one after the other. Strict where two readers could disagree about where an
 * answer ends: the next one on the connection is somebody else's.
 */
export class AnswerParser {
  readonly #sink: ParsedAnswerSink;
  readonly #maxHeadBytes: number;
  #expected: Expected = 'head';
  #held: Buffer | undefined = undefined;
  #left = 0;
  #hasBegun = false;
  #interimHeads = 0;
  #extensionBytes = 0;
  #trailers: AnswerTrailers | undefined = undefined;
  #progress = 0;
  /** Where the bytes of the body lie together that the read under way has brought so far; nowhere while the end is 0. */
  #bodyStart = 0;
  #bodyEnd = 0;
  /** How long the connection may be idle after this answer, in ms; 0: it is over. Undefined: nothing was said. */
  keepForMs: number | undefined = undefined;

  constructor(sink: ParsedAnswerSink, { maxHeadBytes = MAX_HEAD_BYTES }: AnswerLimits = NO_LIMITS) {
    this.#sink = sink;
    this.#maxHeadBytes = maxHeadBytes;
  }

  /** Whether the answer is complete. */
  get isDone(): boolean {
    return this.#expected === 'nothing';
  }

  /** Whether anything has come. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** Grows with the head and with each byte of the body; what is sent around them, such as trailers, is no progress. */
  get progress(): number {
    return this.#progress;
  }

  /** Whether there is no answer, and never will be: what comes is of another protocol. */
  get hasSwitched(): boolean {
    return this.#expected === 'switched';
  }

  /** Takes what comes. @returns where what is of another protocol begins; the end otherwise. @throws {MalformedAnswer} */
  take(bytes: Buffer): number {
    this.#hasBegun = true;
    let at = 0;
    if (!this.isDone) {
      while (at < bytes.length && !this.isDone) {
        if (this.#expected === 'switched') return at;
        at = this.#step(bytes, at);
      }
      this.#handOn(bytes);
    }
    if (at < bytes.length) throw new MalformedAnswer('there is more than one answer');
    return at;
  }

  /** Hears that the connection has ended. @returns whether the answer is complete with that. */
  finish(): boolean {
    if (this.#expected !== 'rest') return this.isDone;
    this.#expected = 'nothing';
    this.#sink.piece(NOTHING, true);
    return true;
  }

  // Whatever one read brings is one piece, and all of it mostly the whole body.
  #handOn(bytes: Buffer): void {
    const { isDone } = this;
    const end = this.#bodyEnd;
    if (end === 0 && !isDone) return;
    this.#bodyEnd = 0;
    if (isDone && this.#trailers !== undefined) this.#sink.trailers?.(this.#trailers.fields);
    this.#sink.piece(end === 0 ? NOTHING : bytes.subarray(this.#bodyStart, end), isDone);
  }

  /** Moves bytes of the body to those before them, over what framed them. */
  #gather(bytes: Buffer, at: number, end: number): void {
    this.#progress += end - at;
    if (this.#bodyEnd === 0) this.#bodyStart = at;
    else bytes.copyWithin(this.#bodyEnd, at, end);
    this.#bodyEnd = this.#bodyEnd === 0 ? end : this.#bodyEnd + end - at;
  }

  #step(bytes: Buffer, at: number): number {
    switch (this.#expected) {
      case 'head': return this.#until('\r\n\r\n', this.#maxHeadBytes, bytes, at, this.#onHead);
      case 'size': return this.#size(bytes, at);
      case 'line': return this.#chunkEnd(bytes, at);
      case 'trailers': return this.#until('\r\n', MAX_HEAD_BYTES, bytes, at, this.#onTrailer);
      case 'rest': return this.#rest(bytes, at);
      default: return this.#body(bytes, at);
    } // prettier-ignore
  }

  /** Gathers bytes up to a mark. */
  #until(mark: string, most: number, bytes: Buffer, at: number, found: (text: string) => void): number {
    const held = this.#held;
    const whole = held === undefined ? bytes : Buffer.concat([held, bytes.subarray(at)]);
    const start = held === undefined ? at : 0;
    const end = whole.indexOf(mark, start, 'latin1');
    // Of the mark itself, all but its end may be there.
    const length = end < 0 ? whole.length - mark.length + 1 - start : end - start;
    if (length > most) throw new MalformedAnswer('its head is too large');
    if (end < 0) {
      if (this.#expected === 'head') refuseBeginning(whole.toString('latin1', start));
      this.#held = Buffer.from(whole.subarray(start));
      return bytes.length;
    }
    this.#held = undefined;
    found(whole.toString('latin1', start, end));
    return end + mark.length - (held === undefined ? 0 : held.length - at);
  }

  #size(bytes: Buffer, at: number): number {
    const data = this.#held === undefined ? this.#plainSize(bytes, at) : 0;
    if (data === 0) return this.#until('\r\n', MAX_SIZE_LINE_BYTES, bytes, at, this.#onSize);
    if (this.#isSmallChunk(bytes, data)) return this.#smallChunks(bytes, data);
    this.#expected = this.#left === 0 ? 'trailers' : 'chunk';
    return data;
  }

  /** Reads a size that is a plain number and there as a whole, byte by byte. @returns where its chunk begins; 0: it is none. */
  #plainSize(bytes: Buffer, at: number): number {
    let size = 0;
    let end = at;
    for (; end < bytes.length && end - at < MAX_SIZE_DIGITS; end += 1) {
      const digit = HEX[bytes[end] as number] as number;
      if (digit < 0) break;
      size = size * 16 + digit;
    }
    if (end === at || bytes[end] !== CR || bytes[end + 1] !== LF) return 0;
    this.#left = size;
    return end + 2;
  }

  /** Whether the chunk that begins here is small, and there to its end. */
  #isSmallChunk(bytes: Buffer, data: number): boolean {
    const end = data + this.#left;
    return this.#left > 0 && this.#left <= SMALL_CHUNK_BYTES && bytes[end] === CR && bytes[end + 1] === LF;
  }

  // One read can bring ten thousand chunks of one byte: a call for each of them would cost more than to move it.
  #smallChunks(bytes: Buffer, first: number): number {
    if (this.#bodyEnd === 0) this.#bodyStart = this.#bodyEnd = first;
    let [data, next, filled] = [first, first, this.#bodyEnd];
    while (data > 0 && this.#isSmallChunk(bytes, data)) {
      const end = data + this.#left;
      while (data < end) bytes[filled++] = bytes[data++] as number;
      next = end + 2;
      data = this.#plainSize(bytes, next);
    }
    this.#progress += filled - this.#bodyEnd;
    this.#bodyEnd = filled;
    return next;
  }

  #chunkEnd(bytes: Buffer, at: number): number {
    if (this.#held !== undefined || bytes[at] !== CR || bytes[at + 1] !== LF)
      return this.#until('\r\n', 2, bytes, at, this.#onChunkEnd);
    this.#expected = 'size';
    return at + 2;
  }

  #rest(bytes: Buffer, at: number): number {
    this.#gather(bytes, at, bytes.length);
    return bytes.length;
  }

  #body(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#left);
    this.#left -= end - at;
    if (this.#left === 0) this.#expected = this.#expected === 'body' ? 'nothing' : 'line';
    this.#gather(bytes, at, end);
    return end;
  }

  readonly #onHead = (text: string): void => {
    const head = new AnswerHead(text);
    const { status } = head;
    if (status === SWITCHING) return this.#onSwitch(head);
    // Something interim; the answer is still to come.
    if (status < 200) return this.#onInterim(head);
    checkRefusal(head, this.#sink.upgrade);
    this.keepForMs = head.keepForMs;
    this.#progress += 1;
    this.#expected = this.#framing(head);
    this.#sink.head(head);
  };

  // Fails closed: what comes after it would be taken for what nobody has agreed on.
  #onSwitch(head: AnswerHead): void {
    checkSwitch(head, this.#sink.upgrade);
    this.#expected = 'switched';
  }

  #onInterim(head: AnswerHead): void {
    this.#interimHeads += 1;
    if (this.#interimHeads > MAX_INTERIM_HEADS)
      throw new MalformedAnswer('it does not come after its interim answers');
    this.#sink.interim?.(head);
  }

  /** How the body ends (RFC 9112 section 6.3). */
  #framing({ status, length, coding, isCurrent }: AnswerHead): Expected {
    const isEmpty = status === 204 || status === 304 || this.#sink.isHeadOnly === true;
    if (coding !== undefined) {
      // Fail closed: who reads another coding than this one alone may end the answer elsewhere.
      if (length !== undefined || !isCurrent || coding !== 'chunked')
        throw new MalformedAnswer('the length of its body is ambiguous');
      return isEmpty ? 'nothing' : 'size';
    }
    if (length !== undefined && !LENGTH.test(length))
      throw new MalformedAnswer('its content-length is wrong');
    if (isEmpty) return 'nothing';
    if (length === undefined) {
      this.keepForMs = 0;
      return 'rest';
    }
    this.#left = Number(length);
    return this.#left === 0 ? 'nothing' : 'body';
  }

  readonly #onSize = (text: string): void => {
    const size = CHUNK_SIZE.exec(text)?.[1];
    if (size === undefined) throw new MalformedAnswer('the size of a chunk is wrong');
    this.#extensionBytes += text.length - size.length;
    if (this.#extensionBytes > MAX_EXTENSION_BYTES)
      throw new MalformedAnswer('the extensions of its chunks are too large');
    this.#left = Number.parseInt(size, 16);
    this.#expected = this.#left === 0 ? 'trailers' : 'chunk';
  };

  readonly #onChunkEnd = (text: string): void => {
    if (text !== '') throw new MalformedAnswer('a chunk is longer than it says');
    this.#expected = 'size';
  };

  readonly #onTrailer = (text: string): void => {
    if (text === '') this.#expected = 'nothing';
    else (this.#trailers ??= new AnswerTrailers(this.#maxHeadBytes)).take(text);
  };
}

/** What can be no head, however it goes on: a server may wait for us to speak first. */
function refuseBeginning(text: string): void {
  if (!text.startsWith(VERSION) && !VERSION.startsWith(text)) throw new MalformedAnswer('it is no HTTP/1.1');
  if (BARE_LF.test(text)) throw new MalformedAnswer('a line of its head is ambiguous');
}
