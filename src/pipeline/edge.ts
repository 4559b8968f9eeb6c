import type { LocalRateLimiter } from '../policies/rate-limit/rate-limiter.ts';
import type { Edge, EdgeCompiler } from '../snapshot/edge.ts';
import { ClientAddress } from './client-address.ts';
import { FloodLimit } from './flood-limit.ts';

/** Compiles trusted proxies and the flood limit; what the limiter has counted goes on from one configuration to the next. */
export function edgeCompiler(limiter: LocalRateLimiter): EdgeCompiler {
  return ({ trustedProxies, floodLimit }): Edge =>
    Object.freeze({
      clientAddress: new ClientAddress(trustedProxies),
      flood: floodLimit === 'off' ? undefined : new FloodLimit(limiter, floodLimit),
    });
}
