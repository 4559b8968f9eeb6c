import { describe, expect, it } from '@jest/globals';
import { MAX_HEADER_BYTES, readProxyHeader } from './proxy-header.ts';

const SIGNATURE = '0d0a0d0a000d0a515549540a';
const v2 = (head: string, block: string, length = block.length / 2): Buffer =>
  Buffer.from(SIGNATURE + head + length.toString(16).padStart(4, '0') + block, 'hex');

const IPV4 = 'cb0071070a000001126701bb';
const IPV6 = '20010db800000000000000000000000120010db8000000000000000000000002126701bb';
const MAPPED = `${'00'.repeat(10)}ffffcb007107${'00'.repeat(15)}01126701bb`;

describe('a header of the PROXY protocol', () => {
  it.each<[string, Buffer, string | undefined]>([
    ['TCP4', Buffer.from('PROXY TCP4 203.0.113.7 10.0.0.1 4711 443\r\n'), '203.0.113.7'],
    ['TCP6', Buffer.from('PROXY TCP6 2001:db8::1 2001:db8::2 0 65535\r\n'), '2001:db8::1'],
    ['UNKNOWN', Buffer.from('PROXY UNKNOWN\r\n'), undefined],
    ['UNKNOWN with addresses', Buffer.from('PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n'), undefined],
    ['IPv4 in binary', v2('2111', IPV4), '203.0.113.7'],
    ['IPv6 in binary', v2('2121', IPV6), '2001:db8::1'],
    ['TCP6 in another spelling', Buffer.from('PROXY TCP6 2001:0DB8:0::1 ::1 1 2\r\n'), '2001:db8::1'],
    ['IPv4 as TCP6', Buffer.from('PROXY TCP6 ::ffff:203.0.113.7 ::1 1 2\r\n'), '203.0.113.7'],
    ['IPv4 as TCP6 in digits', Buffer.from('PROXY TCP6 ::ffff:cb00:7107 ::1 1 2\r\n'), '203.0.113.7'],
    ['IPv4 as IPv6 in binary', v2('2121', MAPPED), '203.0.113.7'],
    ['a datagram of IPv4', v2('2112', IPV4), '203.0.113.7'],
    ['LOCAL, whatever address follows', v2('2011', IPV4), undefined],
    ['LOCAL with nothing', v2('2000', ''), undefined],
    ['an unspecified family', v2('2100', '00'), undefined],
    ['a socket of UNIX', v2('2131', '00'.repeat(216)), undefined],
    ['extensions that nobody knows', v2('2111', `${IPV4}0400020000`), '203.0.113.7'],
    ['a checksum', withChecksum(), '203.0.113.7'],
  ])('says who the client is with %s, and what follows is left', (_, header, address) => {
    expect(readProxyHeader(Buffer.concat([header, Buffer.from('GET')]))).toEqual({
      kind: 'header',
      length: header.length,
      address,
    });
  });

  it.each<[string, Buffer]>([
    ['something else', Buffer.from('GET / HTTP/1.1\r\n')],
    ['another family', Buffer.from('PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n')],
    ['an address of another family', Buffer.from('PROXY TCP4 ::1 ::1 1 2\r\n')],
    ['leading zeros in an address', Buffer.from('PROXY TCP4 01.2.3.4 1.2.3.4 1 2\r\n')],
    ['leading zeros in a port', Buffer.from('PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n')],
    ['a port that is none', Buffer.from('PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n')],
    ['two spaces', Buffer.from('PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n')],
    ['more after the port', Buffer.from('PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n')],
    ['no end within 107 bytes', Buffer.from(`PROXY UNKNOWN ${'x'.repeat(93)}`)],
    ['another version', v2('1111', IPV4)],
    ['another command', v2('2211', IPV4)],
    ['another family in binary', v2('2141', IPV4)],
    ['another transport', v2('2113', IPV4)],
    ['too few bytes for its addresses', v2('2111', IPV4.slice(2))],
    ['an extension that is cut', v2('2111', `${IPV4}04000500`)],
    ['a checksum that does not match', v2('2111', `${IPV4}03000400000000`)],
    ['more than it may hold', v2('2111', '', MAX_HEADER_BYTES - 15)],
  ])('is refused with %s', (_, header) => expect(readProxyHeader(header).kind).toBe('malformed'));

  it.each<[string, Buffer]>([
    ['text', Buffer.from('PROXY TCP4 203.0.113.7 10.0.0.1 4711 443\r\n')],
    ['binary', v2('2121', IPV6)],
    [
      'the largest',
      v2(
        '2111',
        IPV4 +
          `04${(MAX_HEADER_BYTES - 31).toString(16).padStart(4, '0')}${'00'.repeat(MAX_HEADER_BYTES - 31)}`,
      ),
    ],
  ])('is awaited byte by byte: %s', (_, header) => {
    for (let length = 0; length < header.length; length += 1)
      expect(readProxyHeader(header.subarray(0, length)).kind).toBe('incomplete');
    expect(readProxyHeader(header).kind).toBe('header');
  });
});

// By a table, which is another way to the same number.
function withChecksum(): Buffer {
  const header = v2('2111', `${IPV4}03000400000000`);
  header.writeUInt32BE(crc(header), header.length - 4);
  return header;
}

function crc(bytes: Buffer): number {
  const table = Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? 0x82f63b78 ^ (value >>> 1) : value >>> 1;
    return value >>> 0;
  });
  let value = 0xffffffff;
  for (const byte of bytes) value = (table[(value ^ byte) & 0xff] as number) ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}
