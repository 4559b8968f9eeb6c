import type { RouteConfig } from '../gateway.schema.ts';
import { boundOf } from './bounds.ts';
import type { Rights } from './include.schema.ts';
import type { Stray } from './strays.ts';

interface Sockets {
  readonly origins?: readonly string[] | undefined;
}

/**
 * Origins whose pages a route lets open sockets, and `cors` would not let ask: what a browser sends along is the caller's either way.
 *
 * @param levels of policies that measure what a team says, the narrower first.
 */
export function originStrays(
  route: RouteConfig,
  rights: Rights,
  ...levels: readonly (object | undefined)[]
): Stray[] {
  const bound = boundOf('cors', rights, ...levels) as 'any' | 'off' | { origins?: unknown } | undefined;
  if (bound === 'any') return [];
  const allowed = typeof bound === 'object' ? bound.origins : undefined;
  if (allowed === '*') return [];
  const { webSocket, grpc } = route as { webSocket?: Sockets; grpc?: { webSocket?: Sockets | 'off' } };
  const places = [
    { path: ['webSocket'], sockets: webSocket },
    { path: ['grpc', 'webSocket'], sockets: grpc?.webSocket },
  ];
  return places.flatMap(({ path, sockets }) =>
    (typeof sockets === 'object' ? (sockets.origins ?? []) : []).flatMap((origin, index): Stray[] => {
      if (Array.isArray(allowed) && allowed.includes(origin)) return [];
      const message = `${origin} is not an origin whose pages may ask; \`policies: { cors: … }\` of its rights says which may`;
      return [{ path: [...path, 'origins', index], message }];
    }),
  );
}
