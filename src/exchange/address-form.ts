import { isIP } from 'node:net';

/** `[2001:db8::1]:443`, `203.0.113.7:4711`, each with the port or without. */
const WITH_PORT = /^(?:\[([^\]]+)\]|([\d.]+))(?::\d{1,5})?$/;
/** An IPv4 address in the form of IPv6, as URLs write it (RFC 4291 section 2.5.5.2). */
const MAPPED = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/;
const MAPPED_PREFIX = '::ffff:';
const COLON = 0x3a;

/**
 * Reads an address as forwarding fields write it: with a port, in brackets or quotes, with a zone. One address has one
 * form: IPv6 in lower case and compressed (RFC 5952), IPv4 never as IPv6, no zone, which means nothing elsewhere.
 *
 * @returns undefined for what is no address.
 */
export function readAddress(text: string): string | undefined {
  const node = text.trim().replace(/^"(.*)"$/, '$1');
  const [, bracketed, dotted] = WITH_PORT.exec(node) ?? [];
  if (bracketed !== undefined) return readIpv6(bracketed);
  const plain = dotted ?? node;
  return isIP(plain) === 4 ? plain : readIpv6(plain);
}

/** The form of an address that the operating system told; it is in that form but for a few. */
export function formOfPeer(address: string): string {
  if (!address.includes(':')) return address;
  const isDotted = address.charCodeAt(0) === COLON && address.includes('.');
  if (isDotted && address.startsWith(MAPPED_PREFIX)) return address.slice(MAPPED_PREFIX.length);
  return isDotted || address.includes('%') ? (readIpv6(address) ?? address) : address;
}

function readIpv6(text: string): string | undefined {
  const zone = text.indexOf('%');
  const bare = zone < 0 ? text : text.slice(0, zone);
  if (isIP(bare) !== 6) return undefined;
  const compressed = new URL(`http://[${bare}]`).hostname.slice(1, -1);
  const [, high, low] = MAPPED.exec(compressed) ?? [];
  if (high === undefined || low === undefined) return compressed;
  const [first, last] = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
  return [first >> 8, first & 0xff, last >> 8, last & 0xff].join('.');
}
