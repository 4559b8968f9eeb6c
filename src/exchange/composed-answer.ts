import { IncomingMessage, ServerResponse, STATUS_CODES } from 'node:http';
import { Socket } from 'node:net';
import { Writable } from 'node:stream';

/** The parts of a response of `node:http` that nobody has promised; see {@link canCompose}. */
interface Internals {
  _header: string | null;
  _keepAliveTimeout: number;
  _maxRequestsPerSocket: number;
}

/** What a response is made of that is written in one go. */
export interface ComposedAnswer {
  readonly status: number;
  /** Header fields, each with a line break before it; none of them frames the message but `Content-Length`. */
  readonly lines: string;
  /** Whether `Date` is among them. */
  readonly hasDate: boolean;
  /** Of exactly the length that the fields say. */
  readonly body: Buffer;
  /** Whether it stays as it is after the call. */
  readonly isKept: boolean;
}

/** Larger bodies are written as they are: as a text they would be copied once more. */
const MAX_TEXT_BYTES = 16_384;

let isEnabled = false;

/**
 * Lets {@link writeComposed} write heads by itself, which saves about 3 µs a request, if this Node writes responses in
 * the way that it relies on.
 *
 * @returns whether it does; else heads are written by `node:http`, and all else stays as it is.
 */
export function enableComposedAnswers(): boolean {
  isEnabled = canCompose();
  return isEnabled;
}

/** Has all heads written by `node:http` again. */
export function disableComposedAnswers(): void {
  isEnabled = false;
}

/**
 * Whether {@link writeComposed} can write the answer of a response. HTTP/1.0, HEAD, and whatever says more about the
 * connection than that it goes on are left to `node:http`.
 */
export function isComposable(response: ServerResponse): boolean {
  const { req: request } = response;
  if (!isEnabled || !response.shouldKeepAlive || request.httpVersionMinor !== 1) return false;
  if (request.method === 'HEAD' || !request.complete) return false;
  if (request.headers.upgrade !== undefined || request.headers.expect !== undefined) return false;
  const isLimited = (response as unknown as Internals)._maxRequestsPerSocket > 0;
  return !isLimited && !response.headersSent && response.getHeaderNames().length === 0;
}

/** Writes an answer with a head of our own, in one piece with a small body, and ends it. */
export function writeComposed(response: ServerResponse, answer: ComposedAnswer): void {
  const { status, lines, hasDate, body, isKept } = answer;
  const internals = response as unknown as Internals;
  const seconds = Math.floor(internals._keepAliveTimeout / 1000);
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'unknown'}${lines}\r\n`;
  if (!hasDate) head += `Date: ${httpDate()}\r\n`;
  head += 'Connection: keep-alive\r\n';
  if (seconds > 0) head += `Keep-Alive: timeout=${seconds}\r\n`;
  response.statusCode = status;
  internals._header = `${head}\r\n`;
  if (body.length > MAX_TEXT_BYTES) response.end(isKept ? body : Buffer.from(body));
  else if (body.length > 0) response.end(body.toString('latin1'), 'latin1');
  else response.end();
}

let dateSecond = 0;
let dateText = '';

/** The time as a header field says it (RFC 9110 section 5.6.7). */
function httpDate(): string {
  const second = Math.floor(Date.now() / 1000);
  if (second !== dateSecond) {
    dateSecond = second;
    dateText = new Date(second * 1000).toUTCString();
  }
  return dateText;
}

/** Whether a response writes exactly the head that it was given, and then its body, whatever kind of body that is. */
function canCompose(): boolean {
  isEnabled = true;
  try {
    return [Buffer.from('ok'), Buffer.alloc(MAX_TEXT_BYTES + 1, 'x'), Buffer.alloc(0)].every((body) => {
      const lines = `\r\nX-One: a\r\nContent-Length: ${body.length}\r\nDate: now`;
      const { text, response } = written({ status: 203, lines, hasDate: true, body, isKept: false });
      const head = `HTTP/1.1 203 ${STATUS_CODES[203]}${lines}\r\nConnection: keep-alive\r\nKeep-Alive: timeout=7\r\n\r\n`;
      const { headersSent, writableEnded, statusCode } = response;
      return text === head + body.toString('latin1') && headersSent && writableEnded && statusCode === 203;
    });
  } catch {
    return false;
  }
}

function written(answer: ComposedAnswer): { text: string; response: ServerResponse } {
  const request = new IncomingMessage(new Socket());
  Object.assign(request, { httpVersionMajor: 1, httpVersionMinor: 1, method: 'GET', complete: true });
  const response = new ServerResponse(request);
  (response as unknown as Internals)._keepAliveTimeout = 7000;
  let text = '';
  const sink = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      text += chunk.toString('latin1');
      done();
    },
  });
  response.assignSocket(sink as Socket);
  if (isComposable(response)) writeComposed(response, answer);
  return { text, response };
}
