import { SignJWT } from 'jose';
import type { ReplicaConfig } from './fleet.ts';
import { LIMIT } from './limit-tally.ts';

/** By how much clocks are wrong, at most. */
export const SKEW_S = 30;
/** What gateways tolerate in the times of tokens: the skew, and what they do without it. */
export const TOLERATED_S = SKEW_S + 5;
/** Shorter than the skew, so that a wrong clock is not taken for silence of Redis; longer than a busy machine stalls. */
const STALE_AFTER_S = 20;
/** How long the answers of `/cached` may be kept. */
export const TTL_MS = 5000;
/** What tokens are signed with; gateways have it in `SKEW_SECRET`. */
export const SECRET = 'a secret of nobody, 32 bytes or more of it';

const ISSUER = 'https://id.example.com/';

/** Gateways that tolerate the skew in tokens; all else has to hold without being told of it. */
export function skewConfig(target: string): ReplicaConfig {
  const authentication = { schemes: ['jwt'] };
  const issuer = { issuer: ISSUER, secretEnv: 'SKEW_SECRET', algorithms: ['HS256'], audiences: ['api'] };
  const cache = { ttl: `${TTL_MS}ms`, scope: 'public', store: 'shared' };
  const route = (id: string, policies: object = {}): object => ({
    id,
    match: { path: `/${id}` },
    upstream: 'users',
    policies,
  });
  return (port) => ({
    version: 1,
    contracts: { enabled: false },
    floodLimit: 'off',
    listeners: [{ host: '127.0.0.1', port }],
    identity: {
      revocation: { longest: '1h', staleAfter: `${STALE_AFTER_S}s` },
      issuers: [{ ...issuer, clockSkew: `${TOLERATED_S}s` }],
    },
    defaults: { policies: { authentication: 'public' } },
    upstreams: { users: { targets: [target] } },
    routes: [
      route('private', { authentication }),
      route('orders', { authentication, idempotency: {} }),
      route('cached', { cache }),
      route('limited', { rateLimit: LIMIT }),
    ],
  });
}

/** A token of that issuer, made just now, or so long ago as its life is below nothing. */
export async function signed({
  life,
  jti,
}: {
  readonly life: number;
  readonly jti?: string;
}): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const from = life < 0 ? now + 2 * life : now;
  const token = new SignJWT(jti === undefined ? {} : { jti })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuer(ISSUER)
    .setAudience('api')
    .setSubject('somebody')
    .setIssuedAt(from)
    .setNotBefore(from)
    .setExpirationTime(now + life);
  return token.sign(new TextEncoder().encode(SECRET));
}
