import type { RateLimitRule } from '../policies/rate-limit/rate-limit.policy.ts';
import type { LocalRateLimiter } from '../policies/rate-limit/rate-limiter.ts';
import { ClientAddress } from '../pipeline/client-address.ts';
import { FloodLimit } from '../pipeline/flood-limit.ts';

/** What is decided about a request before its route is looked for. */
export interface Edge {
  readonly clientAddress: ClientAddress;
  readonly flood: FloodLimit | undefined;
}

/** What a configuration says about the edge. */
export interface EdgeOptions {
  readonly trustedProxies: readonly string[];
  readonly floodLimit: 'off' | readonly RateLimitRule[];
}

/** @throws {Error} when there is a flood limit and nobody who could count: it fails closed. */
export function compileEdge(
  { trustedProxies, floodLimit }: EdgeOptions,
  limiter: LocalRateLimiter | undefined,
): Edge {
  if (floodLimit !== 'off' && limiter === undefined)
    throw new Error('floodLimit: there is no limiter that could count');
  return Object.freeze({
    clientAddress: new ClientAddress(trustedProxies),
    flood: floodLimit === 'off' || limiter === undefined ? undefined : new FloodLimit(limiter, floodLimit),
  });
}
