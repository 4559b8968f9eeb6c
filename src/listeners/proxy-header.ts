import { isIPv4, isIPv6 } from 'node:net';
import { readAddress } from '../exchange/address-form.ts';

/** What the PROXY protocol says before anything else of a connection. */
export type ProxyHeader =
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'malformed'; readonly reason: string }
  /** @property address of the client in its one form; undefined where the header speaks for nobody but the proxy itself. */
  | { readonly kind: 'header'; readonly length: number; readonly address: string | undefined };

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const V2_HEAD_BYTES = 16;
const V1_START = Buffer.from('PROXY ', 'latin1');
const V1_MAX_BYTES = 107;
/** Of the second version, addresses and what may follow them; a single segment that never comes in pieces has no more. */
export const MAX_HEADER_BYTES = 4096;
const V1_LINE = /^PROXY (?:UNKNOWN(?: [^\r\n]*)?|(TCP4|TCP6) (\S+) (\S+) (0|[1-9]\d{0,4}) (0|[1-9]\d{0,4}))$/;
const INCOMPLETE = { kind: 'incomplete' } as const;
const LOCAL = 0;
const PROXY = 1;
/** Families of addresses, with the bytes that two addresses and two ports take. */
const UNSPECIFIED = 0;
const INET = 1;
const INET6 = 2;
const UNIX = 3;
const ADDRESS_BYTES: Readonly<Record<number, number>> = { [INET]: 12, [INET6]: 36, [UNIX]: 216 };
const MOST_TRANSPORT = 2;
const TYPE_CRC32C = 0x03;

/**
 * Reads the header of the PROXY protocol, version 1 or 2, at the start of a connection.
 *
 * @param bytes all that came so far.
 */
export function readProxyHeader(bytes: Buffer): ProxyHeader {
  if (bytes.length === 0) return INCOMPLETE;
  if (startsAlike(bytes, SIGNATURE)) return bytes.length < V2_HEAD_BYTES ? INCOMPLETE : readBinary(bytes);
  if (startsAlike(bytes, V1_START)) return readText(bytes);
  return malformed('no header of the PROXY protocol');
}

function startsAlike(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length);
  return bytes.subarray(0, length).equals(start.subarray(0, length));
}

function readText(bytes: Buffer): ProxyHeader {
  const end = bytes.subarray(0, V1_MAX_BYTES).indexOf('\r\n');
  if (end < 0) {
    const isTooLong = bytes.length >= V1_MAX_BYTES;
    return isTooLong ? malformed('a line that does not end') : INCOMPLETE;
  }
  const match = V1_LINE.exec(bytes.toString('latin1', 0, end));
  if (match === null) return malformed('a line of no known form');
  const length = end + 2;
  const [, family, from = '', to = '', fromPort, toPort] = match;
  if (family === undefined) return { kind: 'header', length, address: undefined };
  const isFit = family === 'TCP4' ? isIPv4 : isIPv6;
  if (!isFit(from) || !isFit(to)) return malformed('an address of another family');
  if (Number(fromPort) > 65_535 || Number(toPort) > 65_535) return malformed('a port that is none');
  return { kind: 'header', length, address: readAddress(from) };
}

function readBinary(bytes: Buffer): ProxyHeader {
  const [version, command] = nibbles(bytes[12] as number);
  const [family, transport] = nibbles(bytes[13] as number);
  const size = bytes.readUInt16BE(14);
  const length = V2_HEAD_BYTES + size;
  if (version !== 2) return malformed('an unknown version');
  if (command > PROXY) return malformed('an unknown command');
  if (family > UNIX || transport > MOST_TRANSPORT) return malformed('an unknown family');
  if (length > MAX_HEADER_BYTES) return malformed('a header that is too long');
  if (bytes.length < length) return INCOMPLETE;
  const block = bytes.subarray(V2_HEAD_BYTES, length);
  // Whatever addresses follow: it speaks of a connection of the proxy itself, such as a probe.
  if (command === LOCAL || family === UNSPECIFIED) return { kind: 'header', length, address: undefined };
  const addressBytes = ADDRESS_BYTES[family] as number;
  if (size < addressBytes) return malformed('a header that is too short for its addresses');
  const fault = faultOfExtensions(bytes.subarray(0, length), V2_HEAD_BYTES + addressBytes);
  if (fault !== undefined) return malformed(fault);
  return { kind: 'header', length, address: addressOf(family, block) };
}

function nibbles(byte: number): [high: number, low: number] {
  return [byte >> 4, byte & 0xf];
}

function addressOf(family: number, block: Buffer): string | undefined {
  if (family === INET) return block.subarray(0, 4).join('.');
  if (family !== INET6) return undefined;
  const words = Array.from({ length: 8 }, (_, i) => block.readUInt16BE(i * 2).toString(16));
  // Proxies with sockets for both families write IPv4 as IPv6: without the one form all of it would be one /64.
  return readAddress(words.join(':'));
}

/** Looks through what follows the addresses; of what it knows there is only the checksum. */
function faultOfExtensions(header: Buffer, from: number): string | undefined {
  for (let at = from; at < header.length;) {
    if (at + 3 > header.length) return 'an extension that is cut';
    const size = header.readUInt16BE(at + 1);
    const end = at + 3 + size;
    if (end > header.length) return 'an extension that is cut';
    if (header[at] === TYPE_CRC32C) {
      if (size !== 4) return 'a checksum of another length';
      const zeroed = Buffer.from(header);
      zeroed.fill(0, at + 3, end);
      if (crc32c(zeroed) !== header.readUInt32BE(at + 3)) return 'a checksum that does not match';
    }
    at = end;
  }
  return undefined;
}

const CASTAGNOLI = 0x82f63b78;

function crc32c(bytes: Buffer): number {
  let rest = 0xffffffff;
  for (const byte of bytes) {
    rest ^= byte;
    for (let bit = 0; bit < 8; bit += 1) rest = (rest >>> 1) ^ (rest & 1 ? CASTAGNOLI : 0);
  }
  return (rest ^ 0xffffffff) >>> 0;
}

function malformed(reason: string): ProxyHeader {
  return { kind: 'malformed', reason };
}
