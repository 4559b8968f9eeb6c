import { describe, expect, it } from '@jest/globals';
import { codeOf } from './parser-faults.ts';

/** What is left of an error where the parser stopped at the mark. */
function fault(code: string, text: string): Parameters<typeof codeOf>[0] {
  const [before = '', after = ''] = text.split('^');
  return Object.assign(new Error('parse'), {
    code,
    rawPacket: Buffer.from(before + after),
    bytesParsed: before.length,
  });
}

describe('codeOf', () => {
  it.each([
    ['F^OO / HTTP/1.1\r\nHost: a\r\n\r\n', 'method-not-implemented'],
    ['^get / HTTP/1.0\r\n', 'method-not-implemented'],
    ['GET / HTTP/1.1\r\nHost: a\r\n\r\nF^OO / HTTP/1.1\r\n', 'method-not-implemented'],
    ['\r\nF^OO / HTTP/1.1\n', 'method-not-implemented'],
    ['F^', 'method-not-implemented'],
    ['F^OO /a HTT', 'method-not-implemented'],
    ['T^HIS is no request\r\n', 'request-malformed'],
    ['n^onsense\r\n', 'request-malformed'],
    ['F^OO / HTTP/2.0\r\n', 'request-malformed'],
    ['\x16^\x03\x01\x02', 'request-malformed'],
    ['F^O{O / HTTP/1.1\r\n', 'request-malformed'],
  ])('tells a method that nobody knows from what is no request: %j', (text, code) => {
    expect(codeOf(fault('HPE_INVALID_METHOD', text))).toBe(code);
  });

  it.each([
    ['GET /aaa^ HTTP/1.1\r\n', 'uri-too-long'],
    ['GET /aaa^', 'uri-too-long'],
    ['GET / HTTP/1.1\r\n\r\nPOST /aaa^', 'uri-too-long'],
    ['M-SEARCH /aaa^', 'uri-too-long'],
    ['GET / HTTP/1.1\r\nX: aaa^', 'headers-too-large'],
    ['GET / HTTP/1.1\r\nXaaa^: a', 'headers-too-large'],
    ['GET / HTTP/1.1\r\nGET aaa^', 'uri-too-long'],
    ['aaaa^', 'headers-too-large'],
    ['FOO /aaa^', 'headers-too-large'],
  ])('tells a long target from long fields: %j', (text, code) => {
    expect(codeOf(fault('HPE_HEADER_OVERFLOW', text))).toBe(code);
  });

  it('takes what it does not know for malformed', () => {
    expect(codeOf(Object.assign(new Error(), { code: 'HPE_INVALID_URL' }))).toBe('request-malformed');
    expect(codeOf(Object.assign(new Error(), { code: 'HPE_INVALID_METHOD' }))).toBe('request-malformed');
    expect(codeOf(Object.assign(new Error(), { code: 'HPE_HEADER_OVERFLOW' }))).toBe('headers-too-large');
  });
});
