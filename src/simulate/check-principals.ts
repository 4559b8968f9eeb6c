import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { GatewaySource } from '../routing/table-builder.ts';
import type { Complain } from './check-tests.ts';
import type { TestPrincipal } from './principals.schema.ts';
import type { RouteTests } from './route-tests.schema.ts';

type Identity = GatewaySource['value']['identity'];

/** Says which callers the configuration has no way for. */
export function principalFaults(
  { principals }: RouteTests,
  { value: { identity } }: GatewaySource,
  complain: Complain,
): void {
  for (const [name, principal] of Object.entries(principals)) {
    const path = ['principals', name];
    for (const [key, needed] of missingFor(principal, identity))
      complain([...path, key], `the configuration has no ${needed}`);
    issuerFault([...path, 'claims', 'iss'], principal, identity, complain);
    keyFault([...path, 'apiKey'], principal, identity, complain);
    certificateFault([...path, 'certificate'], principal, complain);
  }
}

function missingFor(principal: TestPrincipal, identity: Identity): readonly (readonly [string, string])[] {
  const needed = [
    ['claims', 'identity.issuers', (identity?.issuers.length ?? 0) > 0],
    ['introspected', 'identity.introspection', identity?.introspection !== undefined],
    ['apiKey', 'identity', identity !== undefined],
    ['session', 'identity.login', identity?.login !== undefined],
    ['certificate', 'identity.clientCertificates', identity?.clientCertificates !== undefined],
  ] as const;
  return needed
    .filter(([key, , isThere]) => principal[key] !== undefined && !isThere)
    .map(([key, what]) => [key, what]);
}

function issuerFault(
  path: string[],
  { claims }: TestPrincipal,
  identity: Identity,
  complain: Complain,
): void {
  const given = claims?.['iss'];
  const names = identity?.issuers.map(({ issuer }) => issuer) ?? [];
  // Another issuer is what a test may be about; a typing error is not.
  if (typeof given !== 'string' || names.includes(given) || given.includes('://')) return;
  complain(path, `there is no issuer ${JSON.stringify(given)}`, { given, names });
}

function keyFault(path: string[], { apiKey }: TestPrincipal, identity: Identity, complain: Complain): void {
  if (apiKey === undefined || identity === undefined || !('isListed' in apiKey)) return;
  const names = identity.apiKeys.map(({ clientId }) => clientId);
  const { clientId: given } = apiKey;
  if (names.includes(given)) return;
  const message = `identity.apiKeys has no client ${JSON.stringify(given)}; a key of Redis is described: { clientId: ${given}, roles: […] }`;
  complain(path, message, { given, names });
}

function certificateFault(path: string[], { certificate }: TestPrincipal, complain: Complain): void {
  if (certificate === undefined) return;
  try {
    void new X509Certificate(readFileSync(certificate));
  } catch (error) {
    const isAbsent = (error as NodeJS.ErrnoException).code === 'ENOENT';
    complain(
      path,
      isAbsent ? `there is no file ${certificate}` : `${certificate}: expected a certificate in PEM form`,
    );
  }
}
