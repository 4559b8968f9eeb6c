import { createHash } from 'node:crypto';

/** Where the services are that the gateway leads to. */
export interface Places {
  readonly http: readonly string[];
  readonly grpc: readonly string[];
}

/** A key that every configuration knows, and that the load uses. */
export const STEADY_KEY = 'key-of-the-steady-client';

/** After so many steps the configuration is the first one again, but for limits that nobody reaches. */
export const CYCLE = 420;

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/**
 * The configuration of one step. What the load asks for is in all of them; behind it change targets, their weights and
 * connections, limits, masks, keys, proxies that are trusted, and routes beside it.
 */
export function variant(step: number, { http, grpc }: Places): string {
  const pick = (all: readonly string[]): readonly string[] =>
    all.filter((_, index) => index !== step % all.length);
  const weighted = pick(http).map((url, index) => ({ url, weight: 1 + ((step + index) % 3) }));
  const keys = [STEADY_KEY, `key-${step % 7}`].map((key) => ({
    sha256: sha256(key),
    clientId: 'app',
    roles: ['user'],
  }));
  const transform = step % 2 === 0 ? { response: { maskFields: ['internal'] } } : 'off';
  const rateLimit = step % 3 === 0 ? 'off' : { key: 'ip', rate: 1_000_000 + step, per: '1s' };
  const policies = { transform, rateLimit };
  const extra = Array.from({ length: step % 20 }, (_, index) => ({
    id: `extra-${index}`,
    match: { path: `/extra/${index}/${step % 5}/*` },
    upstream: 'http',
  }));
  return JSON.stringify({
    version: 1,
    contracts: { enabled: false },
    trustedProxies: step % 2 === 0 ? [] : ['10.0.0.0/8'],
    floodLimit: step % 4 === 0 ? 'off' : { key: 'ip', rate: 1_000_000, per: '1s' },
    defaults: { policies: { authentication: { schemes: ['apiKey'] } } },
    identity: { apiKeys: keys },
    upstreams: {
      http: { targets: weighted, maxConnections: 100 + (Math.floor(step / 10) % 3) },
      grpc: { protocol: 'grpc', descriptorSet: 'proto/test/kinds.binpb', targets: pick(grpc) },
    },
    routes: [
      { id: 'plain', match: { path: '/plain/*' }, upstream: 'http', policies },
      { id: 'kinds', upstream: 'grpc', grpc: { service: 'test.v1.Kinds' }, policies: { rateLimit } },
      {
        id: 'composed',
        match: { methods: ['GET'], path: '/composed' },
        aggregate: { calls: { one: { upstream: 'http', path: '/one' } }, response: { one: 'one' } },
        policies,
      },
      ...extra,
    ],
  });
}
