/**
 * Returns what one subscriber is given: an IPv4 address, or the /64 of an IPv6 address. A limit per single IPv6
 * address would be none, since every subscriber has 2^64 of them (RFC 6177).
 */
export function addressBlock(address: string): string {
  if (!address.includes(':')) return address;
  const mapped = MAPPED.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const network = groupsOf(address)
    .slice(0, 4)
    .map((group) => group.toString(16));
  return network.join(':') + '::/64';
}

/**
 * Returns so many bits of an address, as a block such as `10.1.0.0/16`; the address itself for all of them.
 *
 * @param ipv4 bits of an IPv4 address, from 0 to 32.
 * @param ipv6 bits of an IPv6 address, from 0 to 128.
 */
export function addressPrefix(address: string, ipv4: number, ipv6: number): string {
  const plain = MAPPED.exec(address)?.[1] ?? address;
  if (!plain.includes(':')) {
    if (ipv4 >= 32) return plain;
    return firstBits(plain.split('.').map(Number), 8, ipv4).join('.') + `/${ipv4}`;
  }
  const groups = firstBits(groupsOf(plain), 16, ipv6);
  return groups.map((group) => group.toString(16)).join(':') + `/${ipv6}`;
}

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

function firstBits(groups: readonly number[], width: number, bits: number): number[] {
  return groups.map((group, index) => {
    const off = Math.min(width, Math.max(0, (index + 1) * width - bits));
    return Math.floor(group / 2 ** off) * 2 ** off;
  });
}

/** The eight groups of an IPv6 address. */
function groupsOf(address: string): number[] {
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const last = tail === '' ? [] : tail.split(':');
    while (groups.length + last.length < 8) groups.push('0');
    groups.push(...last);
  }
  return groups.map((group) => Number.parseInt(group, 16));
}
