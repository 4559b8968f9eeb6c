import { dirname } from 'node:path';
import { TokenPlaces } from '../policies/authentication/tokens/token-places.ts';
import { identityOf } from '../routing/roles.schema.ts';
import type { GatewaySource } from '../routing/table-builder.ts';
import type { KeyRing } from '../signing/key-ring.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { loadIdentities, type LoadedIdentities } from '../upstreams/identity/load-identities.ts';

/** What the services of a configuration learn of callers. @param ring who signs; undefined for nobody, or with a fault. */
export function identitiesOf(
  { value, document }: GatewaySource,
  ring: KeyRing | undefined,
  metrics?: Metrics,
): LoadedIdentities {
  const { issuers, tokens } = identityOf(value);
  const signing = value.identity?.signing;
  // The places that the caller was identified by, so that no token is exchanged that nobody has verified.
  const places = new TokenPlaces(tokens);
  return loadIdentities(value.upstreams, {
    folder: dirname(document.file),
    signing: signing && ring && { issuer: signing.issuer, ring },
    saysSigning: signing !== undefined,
    rotateMs: signing?.rotate,
    issuers: issuers.map(({ issuer }) => issuer),
    tokenOf: (exchange) => places.find(exchange),
    metrics: metrics?.tokenExchanges,
  });
}
