import { METHODS } from 'node:http';
import type { Socket } from 'node:net';
import type { ProblemCode } from '../problems/catalogue.ts';
import type { ParserFault } from './parser-faults.ts';

/** How long the end of a line is waited for that is too long already, in ms, and how many bytes of it are looked at. */
const MOST_WAIT_MS = 1000;
const MOST_BYTES = 64 * 1024;
const NEWLINE = '\n';
/** How a request line goes on after its target. */
const VERSION = ' HTTP/1.1\r';
const LINE_END = / HTTP\/1\.[01]\r?$/;

/** A piece that begins with a request line, whose method says so. */
const BEGINNING = new RegExp(`^(?:${METHODS.join('|')}) [/*]`);
/** A piece that begins within a method: its end and the blank behind it, before a target. No name of a field has a blank. */
const METHOD_END = /^([A-Z-]*) (?=[/*]|https?:)/;

/** What is known of a line whose beginning is gone. */
interface Line {
  bytes: number;
  /** What came after the first blank of what was seen; undefined before one. */
  rest: string | undefined;
  readonly timer: NodeJS.Timeout;
}

/**
 * Tells long request lines from long fields where the head came in pieces: the parser has kept nothing but the last one. After
 * an error it still hands on what comes, so that the end of the line can be awaited, which says it: a target has no blanks, and
 * one and the version after it. Costs nothing before an error.
 */
export class LongLines {
  readonly #lines = new WeakMap<Socket, Line>();
  /** Connections that were answered; what else the parser says about them is nothing new. */
  readonly #done = new WeakSet<Socket>();

  /**
   * Hears of an error.
   *
   * @param decide is called once, with the code where that is known by what came later.
   */
  heard(fault: ParserFault, socket: Socket, decide: (code?: ProblemCode) => void): void {
    if (this.#done.has(socket)) return;
    const isOverflow = fault.code === 'HPE_HEADER_OVERFLOW' && isWithinLine(fault);
    const line = this.#lines.get(socket) ?? (isOverflow ? this.#await(socket, decide) : undefined);
    if (line === undefined || fault.rawPacket === undefined) return this.#decide(socket, decide);
    const code = codeAfter(line, fault.rawPacket);
    if (code !== undefined) this.#decide(socket, decide, code);
  }

  #await(socket: Socket, decide: (code?: ProblemCode) => void): Line {
    const timer = setTimeout(() => this.#decide(socket, decide, 'headers-too-large'), MOST_WAIT_MS).unref();
    const line: Line = { bytes: 0, rest: undefined, timer };
    this.#lines.set(socket, line);
    socket.once('close', () => clearTimeout(timer));
    return line;
  }

  #decide(socket: Socket, decide: (code?: ProblemCode) => void, code?: ProblemCode): void {
    const line = this.#lines.get(socket);
    if (line !== undefined) clearTimeout(line.timer);
    if (this.#done.has(socket)) return;
    this.#done.add(socket);
    decide(code);
  }
}

/** Whether the parser has failed in a line that it had begun in an earlier piece. */
function isWithinLine({ rawPacket, bytesParsed = 0 }: ParserFault): boolean {
  if (rawPacket === undefined) return false;
  const parsed = rawPacket.toString('latin1', 0, bytesParsed);
  return !parsed.includes(NEWLINE) && !BEGINNING.test(parsed);
}

/** How long the end of a method is that a piece begins with, with its blank; 0 for none. */
function methodEnd(piece: string): number {
  const [whole = '', end = ''] = METHOD_END.exec(piece) ?? [];
  return whole !== '' && METHODS.some((method) => method.endsWith(end)) ? whole.length : 0;
}

function codeAfter(line: Line, piece: Buffer): ProblemCode | undefined {
  const text = piece.toString('latin1');
  const end = text.indexOf(NEWLINE);
  const isFirst = line.bytes === 0;
  const seen = text.slice(isFirst ? methodEnd(text) : 0, end < 0 ? text.length : end);
  line.bytes += seen.length;
  const blank = line.rest === undefined ? seen.search(/[ \t]/) : 0;
  if (blank >= 0) line.rest = (line.rest ?? '') + seen.slice(blank);
  const rest = line.rest ?? '';
  if (end >= 0)
    return LINE_END.test(rest) && rest.length <= VERSION.length ? 'uri-too-long' : 'headers-too-large';
  const isPossible = rest.length <= VERSION.length && /^(?: H?T?T?P?\/?1?\.?[01]?\r?)?$/.test(rest);
  return isPossible && line.bytes < MOST_BYTES ? undefined : 'headers-too-large';
}
