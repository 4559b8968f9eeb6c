import type { Principal } from '../../exchange/principal.ts';
import type { ClaimNames } from './identity.schema.ts';
import { refused } from './verifier.ts';

/** The verified claims of a token. */
export type Claims = Readonly<Record<string, unknown>>;

/**
 * Turns the verified claims of a token into the caller. The id is `sub`, or the client of a token that has
 * none: then there is no subject, because an application is no user. Scopes come from `scope` (RFC 9068 section
 * 2.2.3) or `scp`.
 *
 * @param idPrefix what the issuer's ids of users and applications begin with for everybody behind the gateway.
 * @throws {Problem} `credentials-invalid` when the token names nobody.
 */
export function principalOf(claims: Claims, names: ClaimNames, idPrefix = ''): Principal {
  const clientId = prefixed(idPrefix, text(claims['azp']) ?? text(claims['client_id']));
  const subject = prefixed(idPrefix, text(claims['sub']));
  const id = subject ?? clientId;
  if (id === undefined) throw refused('The token names no subject.');
  return deepFreeze({
    id,
    scheme: 'jwt',
    issuer: text(claims['iss']),
    subject,
    clientId,
    apiKeyId: undefined,
    roles: list(readClaim(claims, names.roles)),
    permissions: list(readClaim(claims, names.permissions)),
    scopes: list(claims['scope'] ?? claims['scp']),
    email: text(readClaim(claims, names.email)),
    tenant: text(readClaim(claims, names.tenant)),
    tier: text(readClaim(claims, names.tier)),
    claims,
  });
}

/**
 * Reads a claim by its name or, when there is none of that name, by its path: `realm_access.roles`. The whole
 * name goes first because names that are URLs have dots too.
 */
export function readClaim(claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  let value: unknown = claims;
  for (const step of name.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<string, unknown>)[step];
  }
  return value;
}

function prefixed(prefix: string, id: string | undefined): string | undefined {
  return id === undefined ? undefined : prefix + id;
}

function text(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A list of names: an array, or one string with spaces or commas between them. */
function list(value: unknown): readonly string[] {
  if (typeof value === 'string') return value.split(/[\s,]+/).filter((name) => name !== '');
  return Array.isArray(value) ? value.filter((name) => typeof name === 'string' && name !== '') : [];
}

/** Exchanges share a principal, so nobody may change it for the others. */
function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const member of Object.values(value)) deepFreeze(member);
  return Object.freeze(value);
}
