import type { AuditTrail } from '../audit/audit-trail.ts';
import { cookieLift } from '../policies/authentication/login/cookie-lift.stage.ts';
import type { LocalRateLimiter } from '../policies/rate-limit/rate-limiter.ts';
import { KEY_FIELD } from '../exchange/key-places.ts';
import type { StageFactory } from '../policies/stage-factory.ts';
import { compileEntrance, compileUnrouted } from '../routing/entrance.ts';
import type { Edge, EdgeCompiler } from '../snapshot/edge.ts';
import { compileAccessLog } from './access-log.ts';
import type { Tracer } from '../tracing/tracer.ts';
import { auditGate } from './audit-gate.ts';
import { ClientAddress } from './client-address.ts';
import { FloodLimit } from './flood-limit.ts';

/**
 * Compiles trusted proxies, the flood limit and the entrance; what the limiter has counted goes on from one configuration
 * to the next.
 */
export function edgeCompiler(
  limiter: LocalRateLimiter,
  factories: readonly StageFactory[],
  trail?: AuditTrail,
  tracer?: Tracer,
): EdgeCompiler {
  return (config): Edge => {
    const { trustedProxies, forwarded, floodLimit, connectionLimit, defaults, audit, identity, logs } =
      config;
    const { header = KEY_FIELD, query } = identity?.apiKeyOptions ?? {};
    const clientAddress = new ClientAddress(trustedProxies, forwarded);
    const connections = connectionLimit === 'off' ? undefined : connectionLimit;
    return Object.freeze({
      clientAddress,
      connections,
      keyPlaces: header === KEY_FIELD && query === undefined ? undefined : { header, query },
      tracing: tracer?.compile(config.tracing, (peer) => clientAddress.isTrusted(peer)),
      flood: floodLimit === 'off' ? undefined : new FloodLimit(limiter, floodLimit),
      accessLines: compileAccessLog(logs),
      entrance: [
        ...auditGate(trail, audit?.onFailure),
        ...cookieLift(identity?.login),
        ...compileEntrance(factories, defaults.policies ?? {}),
      ],
      unrouted: compileUnrouted(factories, defaults.policies ?? {}),
    });
  };
}
