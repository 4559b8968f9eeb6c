import { describe, expect, it } from '@jest/globals';
import { AnswerParser } from './answer-parser.ts';
import { MalformedAnswer } from './http1-faults.ts';

interface Heard {
  readonly heads: { status: number; headers: object }[];
  body: string;
  /** How often the end was told. */
  ends: number;
}

function listening(): { parser: AnswerParser; heard: Heard } {
  const heard: Heard = { heads: [], body: '', ends: 0 };
  const parser = new AnswerParser({
    head: ({ status, headers }) => void heard.heads.push({ status, headers: { ...headers } }),
    piece: (bytes, isLast) => {
      heard.body += bytes.toString('latin1');
      if (isLast) heard.ends += 1;
    },
  });
  return { parser, heard };
}

/** Feeds a text in pieces of a size. */
function feed(parser: AnswerParser, text: string, size = text.length): void {
  const bytes = Buffer.from(text, 'latin1');
  for (let at = 0; at < bytes.length; at += size) parser.take(Buffer.from(bytes.subarray(at, at + size)));
}

function refusal(text: string, size?: number): unknown {
  try {
    feed(listening().parser, text, size);
  } catch (error) {
    return error;
  }
  return undefined;
}

const ok = (fields: string, body = ''): string => `HTTP/1.1 200 OK\r\n${fields}\r\n\r\n${body}`;
const chunked = (body: string): string => ok('transfer-encoding: chunked', body);
const HEAD_BYTES = 16_384;
const SIZE_LINE_BYTES = 1024;
/** A head of so many bytes, without the empty line. */
const headOf = (bytes: number): string => {
  const start = 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\nx: ';
  return `${start}${'v'.repeat(bytes - start.length)}\r\n\r\n`;
};

interface Read {
  readonly status?: number;
  readonly headers?: object;
  readonly body?: string;
  readonly keepForMs?: number | undefined;
}

/** Each is read in one piece, and byte by byte. */
const READ: readonly [string, string, Read][] = [
  ['a body of a length', ok('content-length: 5', 'hello'), { headers: { 'content-length': '5' }, body: 'hello', keepForMs: undefined }],
  ['a length of 0', ok('content-length: 0'), { body: '' }],
  ['a length with zeros before it', ok('content-length: 0005', 'hello'), { body: 'hello' }],
  ['a body that looks like an answer', ok('content-length: 19', 'HTTP/1.1 200 OK\r\n\r\n'), { body: 'HTTP/1.1 200 OK\r\n\r\n' }],
  ['a body of all kinds of bytes', ok('content-length: 4', '\0\r\n\xff'), { body: '\0\r\n\xff' }],
  ['a body in chunks', chunked('5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n'), { body: 'hello!' }],
  ['a body of no chunks', chunked('0\r\n\r\n'), { body: '' }],
  ['a last chunk of many zeros', chunked('00000000\r\n\r\n'), { body: '' }],
  ['a size in lower case', chunked('1a\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n'), { body: 'abcdefghijklmnopqrstuvwxyz' }],
  ['a size in upper case', chunked('0001A\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n'), { body: 'abcdefghijklmnopqrstuvwxyz' }],
  ['a size with spaces after it', chunked('2 \t\r\nhi\r\n0\r\n\r\n'), { body: 'hi' }],
  ['extensions of chunks', chunked('2;a=b;c="d e"\r\nhi\r\n0 ; last\r\n\r\n'), { body: 'hi' }],
  ['line breaks in a chunk', chunked('7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n'), { body: '\r\n0\r\n\r\n' }],
  ['64 interim heads', `${'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(64)}${ok('content-length: 2', 'hi')}`, { body: 'hi' }],
  ['128 fields of trailers', chunked(`2\r\nhi\r\n0\r\n${'x: y\r\n'.repeat(128)}\r\n`), { body: 'hi' }],
  ['trailers of 16 KiB together', chunked(`0\r\n${`x: ${'v'.repeat(1021)}\r\n`.repeat(16)}\r\n`), { body: '' }],
  ['extensions of 16 KiB together', chunked(`${`1;${'e'.repeat(1022)}\r\nx\r\n`.repeat(16)}0\r\n\r\n`), { body: 'x'.repeat(16) }],
  ['trailers', chunked('2\r\nhi\r\n0\r\nx-sum: 1\r\nx-two: 2\r\n\r\n'), { body: 'hi', headers: { 'transfer-encoding': 'chunked' } }],
  ['a coding in upper case', ok('Transfer-Encoding: CHUNKED', '1\r\na\r\n0\r\n\r\n'), { body: 'a' }],
  ['204, which has no body', 'HTTP/1.1 204 No Content\r\n\r\n', { status: 204, body: '', keepForMs: undefined }],
  ['304 with the length of what it does not send', 'HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n', { status: 304, body: '' }],
  ['304 with the coding of what it does not send', 'HTTP/1.1 304 Not Modified\r\ntransfer-encoding: chunked\r\n\r\n', { status: 304, body: '' }],
  ['the answer after 100', `HTTP/1.1 100 Continue\r\n\r\n${ok('content-length: 1', 'a')}`, { status: 200, body: 'a' }],
  ['the answer after 103 and 102', `HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 102 \r\n\r\n${ok('content-length: 1', 'a')}`, { status: 200, headers: { 'content-length': '1' }, body: 'a' }],
  ['HTTP/1.0, which ends its connection', 'HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\na', { body: 'a', keepForMs: 0 }],
  ['HTTP/1.0 that keeps its connection', 'HTTP/1.0 200 OK\r\nconnection: Keep-Alive\r\ncontent-length: 1\r\n\r\na', { body: 'a', keepForMs: undefined }],
  ['a patience', ok('keep-alive: timeout=5\r\ncontent-length: 0'), { keepForMs: 5000 }],
  ['a patience among others', ok('keep-alive: max=100, Timeout=7\r\ncontent-length: 0'), { keepForMs: 7000 }],
  ['a patience of 0', ok('keep-alive: timeout=0\r\ncontent-length: 0'), { keepForMs: 0 }],
  ['something else than a patience', ok('keep-alive: max=100, xtimeout=5\r\ncontent-length: 0'), { keepForMs: undefined }],
  ['an end of the connection', ok('connection: close\r\ncontent-length: 0'), { keepForMs: 0 }],
  ['an end of the connection among others', ok('connection: x-one, Close\r\nkeep-alive: timeout=5\r\ncontent-length: 0'), { keepForMs: 0 }],
  ['a field that comes twice', ok('X-One: a\r\nx-one: b\r\ncontent-length: 0'), { headers: { 'x-one': 'a, b', 'content-length': '0' } }],
  ['a field that comes twice, at first without a value', ok('x-one:\r\nx-one: b\r\ncontent-length: 0'), { headers: { 'x-one': ', b', 'content-length': '0' } }],
  ['fields that objects have anyway', ok('constructor: a\r\ntostring: b\r\ncontent-length: 0'), { headers: { constructor: 'a', tostring: 'b', 'content-length': '0' } }],
  ['a value of latin1', ok('x-one: caf\xe9\r\ncontent-length: 0'), { headers: { 'x-one': 'caf\xe9', 'content-length': '0' } }],
  ['spaces around a value, and a colon in it', ok('x-one: \t a: b \t\r\ncontent-length:0'), { headers: { 'x-one': 'a: b', 'content-length': '0' } }],
  ['an empty reason', 'HTTP/1.1 200 \r\ncontent-length: 0\r\n\r\n', { status: 200 }],
  ['no reason at all', 'HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n', { status: 200 }],
  ['a status that nobody knows', 'HTTP/1.1 599 What\r\ncontent-length: 0\r\n\r\n', { status: 599 }],
  ['a head of 16 KiB', headOf(HEAD_BYTES), { status: 200 }],
  ['a line of a size of 1 KiB', chunked(`1;${'x'.repeat(SIZE_LINE_BYTES - 2)}\r\na\r\n0\r\n\r\n`), { body: 'a' }],
]; // prettier-ignore

describe('an answer', () => {
  describe.each<[string, number | undefined]>([
    ['in one piece', undefined],
    ['byte by byte', 1],
    ['three bytes at a time', 3],
  ])('%s', (_, size) => {
    it.each(READ)('is read with %s', (__, text, { status = 200, headers, body, ...rest }) => {
      const { parser, heard } = listening();
      feed(parser, text, size);
      expect(heard.heads.map((head) => head.status)).toEqual([status]);
      if (headers !== undefined) expect(heard.heads[0]?.headers).toEqual(headers);
      if (body !== undefined) expect(heard.body).toBe(body);
      expect([parser.isDone, heard.ends]).toEqual([true, 1]);
      expect({ keepForMs: parser.keepForMs }).toMatchObject(rest);
    });

    it('without a length is read to the end of its connection', () => {
      const { parser, heard } = listening();
      feed(parser, ok('x: y', 'one\r\n\r\ntwo'), size);
      expect([heard.body, heard.ends, parser.isDone, parser.keepForMs]).toEqual([
        'one\r\n\r\ntwo',
        0,
        false,
        0,
      ]);
      expect(parser.finish()).toBe(true);
      expect([heard.body, heard.ends, parser.isDone]).toEqual(['one\r\n\r\ntwo', 1, true]);
    });
  });

  it('without a length, and even without a field, can be empty', () => {
    const { parser, heard } = listening();
    feed(parser, 'HTTP/1.1 200 OK\r\n\r\n');
    expect(parser.finish()).toBe(true);
    expect(heard).toEqual({ heads: [{ status: 200, headers: {} }], body: '', ends: 1 });
  });

  it('cannot change what objects are', () => {
    const { parser, heard } = listening();
    feed(parser, ok('__proto__: a\r\ncontent-length: 0'));
    expect(heard.heads[0]?.headers).toMatchObject({ 'content-length': '0' });
    expect(Object.getPrototypeOf(heard.heads[0]?.headers)).toBe(Object.prototype);
  });

  it('tells its last piece as the last one', () => {
    const pieces: [string, boolean][] = [];
    const parser = new AnswerParser({
      head: () => undefined,
      piece: (bytes, isLast) => void pieces.push([bytes.toString(), isLast]),
    });
    parser.take(Buffer.from(ok('content-length: 4', 'ab')));
    parser.take(Buffer.from('cd'));
    expect(pieces).toEqual([['ab', false], ['cd', true]]); // prettier-ignore
  });
});

describe('the end of a connection', () => {
  it.each([
    ['nothing', '', false],
    ['half a head', 'HTTP/1.1 200 OK\r\nconte', false],
    ['an interim head', 'HTTP/1.1 100 Continue\r\n\r\n', false],
    ['half a body', ok('content-length: 5', 'he'), false],
    ['half a chunk', chunked('5\r\nhe'), false],
    ['a chunk without its end', chunked('5\r\nhello'), false],
    ['chunks without the last one', chunked('5\r\nhello\r\n'), false],
    ['a last chunk without the empty line', chunked('0\r\n'), false],
    ['a whole answer', ok('content-length: 1', 'a'), true],
    ['whole chunks', chunked('0\r\n\r\n'), true],
  ])('after %s completes: %#', (_, text, isComplete) => {
    const { parser, heard } = listening();
    feed(parser, text);
    expect(parser.finish()).toBe(isComplete);
    expect(heard.ends).toBe(isComplete ? 1 : 0);
  });

  it.each([
    ['nothing', '', false],
    ['a byte', 'H', true],
    ['an interim head', 'HTTP/1.1 100 Continue\r\n\r\n', true],
    ['a head', ok('content-length: 1'), true],
    ['all', ok('content-length: 0'), true],
  ])('finds an answer that has begun, or not, after %s', (_, text, hasBegun) => {
    const { parser } = listening();
    feed(parser, text);
    expect(parser.hasBegun).toBe(hasBegun);
  });
});

/** Each is refused in one piece, and byte by byte. */
const REFUSED: readonly [string, string][] = [
  ['a bare CR in its status line', 'HTTP/1.1 200 O\rK\r\ncontent-length: 0\r\n\r\n'],
  ['a bare CR in a value', ok('x: a\rb\r\ncontent-length: 0')],
  ['a bare CR before the end of its head', ok('content-length: 0\r')],
  ['a bare LF in its status line', 'HTTP/1.1 200 O\nK\r\ncontent-length: 0\r\n\r\n'],
  ['a bare LF after a value', ok('x: a\ncontent-length: 0')],
  ['a bare LF before the end of its head', ok('content-length: 0\n')],
  ['NUL in its status line', 'HTTP/1.1 200 O\0K\r\ncontent-length: 0\r\n\r\n'],
  ['NUL in a value', ok('x: a\0b\r\ncontent-length: 0')],
  ['NUL in a name', ok('x\0y: a\r\ncontent-length: 0')],
  ['a value that goes on after a space', ok('x: a\r\n b\r\ncontent-length: 0')],
  ['a value that goes on after a tab', ok('x: a\r\n\tb\r\ncontent-length: 0')],
  ['a space before its first field', ok(' x: a\r\ncontent-length: 0')],
  ['a space before a colon', ok('content-length : 0')],
  ['a tab before a colon', ok('content-length\t: 0')],
  ['a space in a name', ok('content length: 0')],
  ['a name that is no token', ok('x(y): a\r\ncontent-length: 0')],
  ['a name of latin1', ok('caf\xe9: a\r\ncontent-length: 0')],
  ['an empty name', ok(': a\r\ncontent-length: 0')],
  ['a field without a colon', ok('x\r\ncontent-length: 0')],
  ['a last field without a colon', ok('content-length: 0\r\nx')],
  ['two lengths', ok('content-length: 1\r\ncontent-length: 2', 'ab')],
  ['two lengths, one of them empty', ok('content-length:\r\ncontent-length: 1', 'a')],
  ['a list of lengths', ok('content-length: 1, 1', 'a')],
  ['a length with a plus', ok('content-length: +1', 'a')],
  ['a length with a minus', ok('content-length: -1', 'a')],
  ['a length with a space inside', ok('content-length: 1 0', '0123456789')],
  ['a length in hex', ok('content-length: 0x1', 'a')],
  ['a length with a letter', ok('content-length: 1a', '0123456789')],
  ['an empty length', ok('content-length:', 'a')],
  ['a length of 16 digits', ok('content-length: 9999999999999999', 'a')],
  ['a length after a vertical tab', ok('content-length: \x0b1', 'a')],
  ['a length before a space that is none of HTTP', ok('content-length: 1\xa0', 'a')],
  ['a wrong length of a body that it has not', 'HTTP/1.1 204 No Content\r\ncontent-length: a\r\n\r\n'],
  ['a length and a coding', ok('content-length: 1\r\ntransfer-encoding: chunked', '1\r\na\r\n0\r\n\r\n')],
  ['a coding and a length', ok('transfer-encoding: chunked\r\ncontent-length: 1', '1\r\na\r\n0\r\n\r\n')],
  ['a coding before chunks', ok('transfer-encoding: gzip, chunked', '1\r\na\r\n0\r\n\r\n')],
  ['chunks in chunks', ok('transfer-encoding: chunked, chunked', '1\r\na\r\n0\r\n\r\n')],
  ['chunks that are said twice', ok('transfer-encoding: chunked\r\ntransfer-encoding: chunked', '1\r\na\r\n0\r\n\r\n')],
  ['chunks that are not last', ok('transfer-encoding: chunked, identity', '1\r\na\r\n0\r\n\r\n')],
  ['a coding that nobody knows', ok('transfer-encoding: xchunked', '1\r\na\r\n0\r\n\r\n')],
  ['a coding with a parameter', ok('transfer-encoding: chunked;q=1', '1\r\na\r\n0\r\n\r\n')],
  ['a coding after a vertical tab', ok('transfer-encoding: \x0bchunked', '1\r\na\r\n0\r\n\r\n')],
  ['an empty coding', ok('transfer-encoding:', '1\r\na\r\n0\r\n\r\n')],
  ['chunks in HTTP/1.0', 'HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n'],
  ['an empty size', chunked('\r\na\r\n0\r\n\r\n')],
  ['a size of extensions alone', chunked(';a=b\r\na\r\n0\r\n\r\n')],
  ['a negative size', chunked('-1\r\na\r\n0\r\n\r\n')],
  ['a size with a plus', chunked('+1\r\na\r\n0\r\n\r\n')],
  ['a size with 0x', chunked('0x1\r\na\r\n0\r\n\r\n')],
  ['a size after a space', chunked(' 1\r\na\r\n0\r\n\r\n')],
  ['a size of nine digits', chunked('000000001\r\na\r\n0\r\n\r\n')],
  ['a size that is no number', chunked('g\r\na\r\n0\r\n\r\n')],
  ['a size that ends with a bare LF', chunked('1\na\r\n0\r\n\r\n')],
  ['a bare CR in an extension', chunked('1;a\rb\r\na\r\n0\r\n\r\n')],
  ['a chunk that is longer than it says', chunked('1\r\nab\r\n0\r\n\r\n')],
  ['a chunk that is much longer than it says', chunked('1\r\nabcdef\r\n0\r\n\r\n')],
  ['a chunk that is shorter than it says', chunked('3\r\na\r\n0\r\n\r\n')],
  ['bytes after it', ok('content-length: 1', 'ab')],
  ['bytes after its last chunk', chunked('0\r\n\r\n\r\n')],
  ['a body that a 204 cannot have', 'HTTP/1.1 204 No Content\r\ncontent-length: 1\r\n\r\na'],
  ['another one after it', ok('content-length: 1', `a${ok('content-length: 1', 'b')}`)],
  ['HTTP/2.0', 'HTTP/2.0 200 OK\r\ncontent-length: 0\r\n\r\n'],
  ['HTTP/1.2', 'HTTP/1.2 200 OK\r\ncontent-length: 0\r\n\r\n'],
  ['HTTP/11', 'HTTP/11 200 OK\r\ncontent-length: 0\r\n\r\n'],
  ['http/1.1', 'http/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'],
  ['a line break before it', `\r\n${ok('content-length: 0')}`],
  ['a space before it', ` ${ok('content-length: 0')}`],
  ['two spaces before its status', 'HTTP/1.1  200 OK\r\ncontent-length: 0\r\n\r\n'],
  ['status 099', 'HTTP/1.1 099 What\r\ncontent-length: 0\r\n\r\n'],
  ['status 600', 'HTTP/1.1 600 What\r\ncontent-length: 0\r\n\r\n'],
  ['status 999', 'HTTP/1.1 999 What\r\ncontent-length: 0\r\n\r\n'],
  ['a status of two digits', 'HTTP/1.1 20 OK\r\ncontent-length: 0\r\n\r\n'],
  ['a status of four digits', 'HTTP/1.1 2000 OK\r\ncontent-length: 0\r\n\r\n'],
  ['no status', 'HTTP/1.1\r\ncontent-length: 0\r\n\r\n'],
  ['status 101', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n'],
  ['a head above 16 KiB', headOf(HEAD_BYTES + 1)],
  ['a head without end', `HTTP/1.1 200 OK\r\nx: ${'v'.repeat(HEAD_BYTES)}`],
  ['a line of a size above 1 KiB', chunked(`1;${'x'.repeat(SIZE_LINE_BYTES - 1)}\r\na\r\n0\r\n\r\n`)],
  ['a line of a size without end', chunked(`1;${'x'.repeat(SIZE_LINE_BYTES)}`)],
  ['trailers above 16 KiB together', chunked(`0\r\n${`x: ${'v'.repeat(1000)}\r\n`.repeat(17)}\r\n`)],
  ['more than 128 fields of trailers', chunked(`0\r\n${'x: y\r\n'.repeat(129)}\r\n`)],
  ['more than 64 interim heads', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(65)],
  ['extensions of chunks above 16 KiB together', chunked(`1;${'e'.repeat(1000)}\r\nx\r\n`.repeat(17))],
  ['a trailer above 16 KiB', chunked(`0\r\nx: ${'v'.repeat(HEAD_BYTES)}\r\n\r\n`)],
  ['the greeting of SSH', 'SSH-2.0-OpenSSH_9.6\r\nInvalid SSH identification string.\r\n\r\n'],
]; // prettier-ignore

describe('an answer is refused', () => {
  it.each(REFUSED)('with %s', (_, text) => {
    expect(refusal(text)).toBeInstanceOf(MalformedAnswer);
    expect(refusal(text, 1)).toBeInstanceOf(MalformedAnswer);
  });

  it('before it tells a head that is wrong', () => {
    const { parser, heard } = listening();
    expect(() => feed(parser, ok('content-length: 1\r\ncontent-length: 2', 'ab'))).toThrow(MalformedAnswer);
    expect(heard).toEqual({ heads: [], body: '', ends: 0 });
  });

  it('after it told what was complete, and nothing of what came then', () => {
    const { parser, heard } = listening();
    expect(() => feed(parser, ok('content-length: 1', 'aHTTP/1.1 500 Oh\r\n\r\n'))).toThrow(/more than one/);
    expect(heard).toMatchObject({ heads: [{ status: 200 }], body: 'a', ends: 1 });
  });

  it('and has begun, so that nobody asks again', () => {
    const { parser } = listening();
    expect(() => feed(parser, 'SSH-2.0-OpenSSH_9.6\r\n\r\n')).toThrow(MalformedAnswer);
    expect(parser.hasBegun).toBe(true);
  });

  it.each([
    ['the greeting of SSH', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['lines that end with LF alone', 'HTTP/1.1 200 OK\ncontent-length: 0\n\n'],
  ])('without waiting for an end that never comes: %s', (_, text) =>
    expect(refusal(text)).toBeInstanceOf(MalformedAnswer),
  );
});
