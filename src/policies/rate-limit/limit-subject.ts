import { addressBlock } from '../../exchange/address-block.ts';
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
