import type { BucketRule } from '../policies/rate-limit/rate-limiter.ts';
import type { RevocationMarks } from '../policies/authentication/revocation/revocation-marks.ts';

/** The authenticated caller. Frozen; shared by every exchange that presents the same credential. */
export interface Principal {
  /** What it is called: its subject, or the client id of a caller that is no user. Unique within issuer and kind. */
  readonly id: string;
  /** How the caller proved who it is. */
  readonly scheme: 'jwt' | 'apiKey' | 'session' | 'introspection' | 'mtls';
  /** Who vouches for it: the `iss` of a token; undefined for an API key, for which the gateway does. */
  readonly issuer: string | undefined;
  /** The user: the `sub` of a token. Undefined for an application, which must never be taken for a user. */
  readonly subject: string | undefined;
  /** The client application: `azp` or `client_id` of a token, or the client id of an API key. */
  readonly clientId: string | undefined;
  /** A digest that names the API key without revealing it; undefined for other schemes. */
  readonly apiKeyId: string | undefined;
  readonly roles: readonly string[];
  readonly permissions: readonly string[];
  /** OAuth scopes of a token. */
  readonly scopes: readonly string[];
  readonly email: string | undefined;
  readonly tenant: string | undefined;
  readonly tier: string | undefined;
  /** The verified claims of a token, for conditions; empty for API keys. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** The token that services get for it, in place of what the client may have sent; absent for none. Never told anybody else. */
  readonly bearer?: string | undefined;
  /** By what it is found among the revocations; absent for a credential that cannot be revoked before it expires. */
  readonly marks?: RevocationMarks | undefined;
  /** How often it may call, on top of what routes allow; absent for who has no limit of its own. */
  readonly limit?: BucketRule | undefined;
  /** What it proved beside this, on a route that asks for several credentials: they give it no rights of their own. */
  readonly also?: readonly Principal[] | undefined;
}

/** Everything that a caller proved: itself, and what came with it. */
export function credentialsOf(principal: Principal): readonly Principal[] {
  return principal.also === undefined ? [principal] : [principal, ...principal.also];
}

/** When the first of the credentials of a caller expires, in ms since the epoch; `Infinity` for none that does. */
export function credentialEndMs(principal: Principal): number {
  let end = endOf(principal);
  if (principal.also !== undefined) for (const one of principal.also) end = Math.min(end, endOf(one));
  return end;
}

function endOf({ claims }: Principal): number {
  const end = claims['exp'];
  return typeof end === 'number' ? end * 1000 : Infinity;
}

const lastJoined = new WeakMap<Principal, Principal>();

/**
 * The caller of several credentials: the first, which the others came with. The same object for the same credentials as the last
 * time, because others remember things by it.
 *
 * @param credentials one at least.
 */
export function joined(credentials: readonly Principal[]): Principal {
  const [first, ...also] = credentials;
  if (first === undefined) throw new Error('a caller needs a credential');
  const known = lastJoined.get(first);
  if (known?.also?.length === also.length && known.also.every((one, index) => one === also[index]))
    return known;
  const principal = Object.freeze({ ...first, also: Object.freeze(also) });
  lastJoined.set(first, principal);
  return principal;
}

const partitions = new WeakMap<Principal, string>();

/**
 * Who a principal is, as one text: THE key by which everything tells principals apart that counts, reserves or
 * keeps something for them. Equal for equal callers only: a user is not an application of the same name, and
 * users of two issuers are two, whatever their `sub` is. Made once per principal.
 *
 * What an answer may depend on beyond that, such as roles, is not in it: see `identityHeaders`.
 */
export function partitionOf(principal: Principal): string {
  let partition = partitions.get(principal);
  if (partition === undefined) {
    const { scheme, subject, id } = principal;
    const kind = subject === undefined ? 'client' : 'user';
    // The issuer is escaped and the id comes last, so that no value can spell the beginning of another.
    partition = `${kind}:${scheme}:${issuerText(principal)}:${id}`;
    partitions.set(principal, partition);
  }
  return partition;
}

/** Who vouches for a principal, as a text without colons and braces; empty for the gateway itself. */
export function issuerText({ issuer = '' }: Pick<Principal, 'issuer'>): string {
  return encodeURIComponent(issuer.toWellFormed());
}

/** The digest that names the API key of a caller, which may have come beside another credential that says who calls. */
export function apiKeyOf(principal: Principal): string | undefined {
  return principal.apiKeyId ?? principal.also?.find(({ apiKeyId }) => apiKeyId !== undefined)?.apiKeyId;
}
