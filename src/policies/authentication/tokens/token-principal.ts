import type { Principal } from '../../../exchange/principal.ts';
import type { ClaimNames } from '../identity.schema.ts';
import { marksOf, type RevocationMarks } from '../revocation/revocation-marks.ts';
import { refused } from '../verifier.ts';

/** The verified claims of a token. */
export type Claims = Readonly<Record<string, unknown>>;

/**
 * Turns the verified claims of a token into the caller. The id is `sub`, or the client of a token that has
 * none: then there is no subject, because an application is no user. Scopes come from `scope` (RFC 9068 section
 * 2.2.3) or `scp`.
 *
 * @param idPrefix what the issuer's ids of users and applications begin with for everybody behind the gateway.
 * @param isRevocable whether it is to be found among revocations.
 * @param scheme how the claims were verified.
 * @throws {Problem} `credentials-invalid` when the token names nobody.
 */
export function principalOf(
  claims: Claims,
  names: ClaimNames,
  idPrefix = '',
  isRevocable = false,
  scheme: 'jwt' | 'introspection' = 'jwt',
): Principal {
  const clientId = prefixed(idPrefix, text(claims['azp']) ?? text(claims['client_id']));
  const subject = prefixed(idPrefix, text(claims['sub']));
  const id = subject ?? clientId;
  if (id === undefined) throw refused('The token names no subject.');
  return deepFreeze({
    id,
    scheme,
    issuer: text(claims['iss']),
    subject,
    clientId,
    apiKeyId: undefined,
    roles: lists(claims, names.roles),
    permissions: lists(claims, names.permissions),
    scopes: list(claims['scope'] ?? claims['scp']),
    email: text(readClaim(claims, names.email)),
    tenant: text(readClaim(claims, names.tenant)),
    tier: text(readClaim(claims, names.tier)),
    claims,
    marks: isRevocable ? tokenMarks(claims) : undefined,
  });
}

/**
 * Reads a claim by its name or, when there is none of that name, by its path: `realm_access.roles`. Longer names go first, at
 * each step, because names that are URLs have dots too: `https://example.com/app.roles`.
 */
export function readClaim(claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  for (let dot = name.lastIndexOf('.'); dot > 0; dot = name.lastIndexOf('.', dot - 1)) {
    const first = name.slice(0, dot);
    const below = Object.hasOwn(claims, first) ? claims[first] : undefined;
    if (typeof below !== 'object' || below === null) continue;
    const value = readClaim(below as Claims, name.slice(dot + 1));
    if (value !== undefined) return value;
  }
  return undefined;
}

function prefixed(prefix: string, id: string | undefined): string | undefined {
  return id === undefined ? undefined : prefix + id;
}

function text(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function tokenMarks(claims: Claims): RevocationMarks {
  return marksOf({
    issuer: text(claims['iss']),
    token: text(claims['jti']),
    session: text(claims['sid']),
    subject: text(claims['sub']) ?? text(claims['azp']) ?? text(claims['client_id']),
    issuedAt: typeof claims['iat'] === 'number' ? claims['iat'] : undefined,
  });
}

/** What several claims list, each name once. */
function lists(claims: Claims, names: readonly string[]): readonly string[] {
  const [name = '', ...others] = names;
  const first = list(readClaim(claims, name));
  if (others.length === 0) return first;
  return [...new Set([first, ...others.map((other) => list(readClaim(claims, other)))].flat())];
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
