import type { Exchange } from '../../exchange/exchange.ts';
import { partitionOf } from '../../exchange/principal.ts';
import type { RATE_LIMIT_KEYS } from './rate-limit.policy.ts';

/** Whose bucket a rule means. */
export type RateLimitKey = (typeof RATE_LIMIT_KEYS)[number];

/**
 * Returns who a request counts for. Each kind of subject has a namespace of its own, so that a principal called
 * `1.2.3.4` shares no bucket with that address, nor a user with an application of the same name or with a user of
 * another issuer.
 * A caller who is not authenticated, or has no API key, counts by address.
 */
export function subjectOf(key: RateLimitKey, exchange: Exchange): string {
  if (key === 'global') return 'all';
  const principal = exchange.principal;
  if (principal !== undefined) {
    if (key === 'apiKey' && principal.apiKeyId !== undefined) return 'key:' + principal.apiKeyId;
    if (key === 'principal') return partitionOf(principal);
  }
  return 'ip:' + addressBlock(exchange.clientAddress);
}

/**
 * Returns what one subscriber is given: an IPv4 address, or the /64 of an IPv6 address. A limit per single IPv6
 * address would be none, since every subscriber has 2^64 of them (RFC 6177).
 */
export function addressBlock(address: string): string {
  if (!address.includes(':')) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const last = tail === '' ? [] : tail.split(':');
    while (groups.length + last.length < 8) groups.push('0');
    groups.push(...last);
  }
  const network = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return network.join(':') + '::/64';
}
