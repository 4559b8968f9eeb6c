import { describe, expect, it } from '@jest/globals';
import { AnswerParser } from './answer-parser.ts';
import { chunked, ok, READ, REFUSED } from './answers.fixture.ts';
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

describe('small chunks', () => {
  const sizes = Array.from({ length: 400 }, (_, index) => 1 + ((index * 37) % 70));
  const body = sizes.map((size, index) => String.fromCharCode(97 + (index % 26)).repeat(size));
  const text = chunked(`${body.map((one) => `${one.length.toString(16)}\r\n${one}\r\n`).join('')}0\r\n\r\n`);

  it('of one read are one piece', () => {
    const pieces: string[] = [];
    const parser = new AnswerParser({
      head: () => undefined,
      piece: (bytes) => void pieces.push(bytes.toString('latin1')),
    });
    feed(parser, chunked(`${'1\r\nx\r\n'.repeat(10_000)}0\r\n\r\n`));
    expect(pieces).toEqual(['x'.repeat(10_000)]);
    expect(parser.progress).toBe(10_001);
  });

  it.each([1, 2, 7, 63, 64, 65, 66, 129, 1000, 4096])('that come %d bytes at a time are whole', (size) => {
    const { parser, heard } = listening();
    feed(parser, text, size);
    expect(heard.body).toBe(body.join(''));
    expect([parser.isDone, heard.ends, parser.progress]).toEqual([true, 1, 1 + heard.body.length]);
  });

  it.each([
    '3\r\nxx\r\n',
    '1\r\nxx\r\n',
    '1\r\nx\n\r\n',
    '1\r\nx\r\r\n',
    '-1\r\nx\r\n',
    '000000001\r\nx\r\n',
  ])('do not hide a wrong one among them: %j', (wrong) => {
    expect(refusal(chunked(`1\r\nx\r\n${wrong}1\r\nx\r\n0\r\n\r\n`))).toBeInstanceOf(MalformedAnswer);
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
