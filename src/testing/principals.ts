import type { TestApiKey, TestPrincipal } from '../simulate/principals.schema.ts';
import { credentialsOf, type CredentialDeps } from '../simulate/credentials.ts';
import { noSuch, TestingError } from './testing-error.ts';
import { millisecondsOf, type Span } from './time.ts';

/** Header fields that prove who calls. */
export type Fields = Readonly<Record<string, string>>;

/** Who calls. What is not said the token does not say. */
export interface PrincipalOptions {
  /** Claim `sub`. */
  readonly id: string;
  readonly roles?: readonly string[];
  readonly permissions?: readonly string[];
  /** OAuth scopes. */
  readonly scopes?: readonly string[];
  readonly email?: string;
  readonly tenant?: string;
  readonly tier?: string;
  /** One of `identity.issuers`. Default the first one. */
  readonly issuer?: string;
  /** Until when the token is good. Default 1h. */
  readonly expiresIn?: Span;
  /** More claims; they go before those that the rest would make. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** A key that the kit adds to `identity.apiKeys`. */
export interface ApiKeyOptions {
  readonly clientId: string;
  readonly roles?: readonly string[];
  readonly permissions?: readonly string[];
  readonly scopes?: readonly string[];
  readonly tier?: string;
  readonly tenant?: string;
}

type Identity = CredentialDeps['identity'];

/** What credentials are made with; of a configuration without identity nothing can be made. */
export type PrincipalDeps = Omit<CredentialDeps, 'identity' | 'nowMs' | 'read'> & {
  readonly identity: Identity | undefined;
  /** Holders of keys that the kit has added, by client id. */
  readonly holders: ReadonlyMap<string, TestApiKey>;
};

/** Makes credentials that the gateway checks as any others: only the keys are the kit's own. */
export class Principals {
  readonly #deps: PrincipalDeps;

  constructor(deps: PrincipalDeps) {
    this.#deps = deps;
  }

  /** Fields of somebody with a token, by its claims as the issuer's `claims` map them. */
  as(options: PrincipalOptions): Fields {
    if (typeof options.id !== 'string' || options.id === '')
      throw new TestingError('as(): expected an id, such as as({ id: "7", roles: ["user"] })');
    const { issuers } = this.#identity;
    const issuer = options.issuer === undefined ? issuers[0] : issuers.find((one) => one.issuer === options.issuer);
    if (issuer === undefined && issuers.length === 0)
      throw new TestingError('as(): the configuration has no identity.issuers that a token could come from');
    if (issuer === undefined) throw noSuch('issuer', String(options.issuer), issuers.map((one) => one.issuer));
    return this.#fields({ claims: { ...claimsOf(options, issuer.claims), iss: issuer.issuer, ...options.claims } });
  } // prettier-ignore

  /** Fields of the holder of an API key: the client id of `identity.apiKeys`, or of an option `apiKeys` of the gateway. */
  apiKey(clientId: string): Fields {
    const names = this.#identity.apiKeys.map((one) => one.clientId);
    const holder = this.#deps.holders.get(clientId);
    if (holder !== undefined) return this.#fields({ apiKey: holder });
    if (names.includes(clientId)) return this.#fields({ apiKey: { clientId, isListed: true } });
    const { message } = noSuch('API key of a client', clientId, names);
    throw new TestingError(
      `${message}; add one with startTestGateway({ apiKeys: [{ clientId: '${clientId}', … }] })`,
    );
  }

  /** Fields of somebody with an opaque token, of which the authorization server says these claims. */
  introspected(claims: Readonly<Record<string, unknown>>): Fields {
    if (this.#identity.introspection === undefined) throw missing('introspected()', 'introspection');
    return this.#fields({ introspected: claims });
  }

  /** Fields of somebody who has logged in with a browser. */
  session(claims: Readonly<Record<string, unknown>> & { readonly sub: string }): Fields {
    if (this.#identity.login === undefined) throw missing('session()', 'login');
    return this.#fields({ session: claims });
  }

  get #identity(): Identity {
    const { identity } = this.#deps;
    if (identity === undefined) throw new TestingError('the configuration has no `identity`, and so nobody');
    return identity;
  }

  #fields(principal: TestPrincipal): Fields {
    const read = (): string => '';
    return credentialsOf(principal, { ...this.#deps, identity: this.#identity, nowMs: Date.now(), read })
      .headers;
  }
}

/** Fields of nobody. */
export const anonymous: Fields = Object.freeze({});

function missing(what: string, key: string): TestingError {
  return new TestingError(`${what}: the configuration has no identity.${key}`);
}

function claimsOf(
  options: PrincipalOptions,
  names: Identity['issuers'][number]['claims'],
): Record<string, unknown> {
  const { id, roles, permissions, scopes, email, tenant, tier, expiresIn } = options;
  const claims: Record<string, unknown> = { sub: id };
  if (scopes !== undefined) claims['scope'] = scopes.join(' ');
  if (expiresIn !== undefined) claims['exp'] = Math.floor((Date.now() + millisecondsOf(expiresIn)) / 1000);
  const said = [
    [names.roles[0], roles],
    [names.permissions[0], permissions],
    [names.email, email],
    [names.tenant, tenant],
    [names.tier, tier],
  ] as const;
  for (const [name, value] of said) if (name !== undefined && value !== undefined) put(claims, name, value);
  return claims;
}

// Dots reach into objects, but for names that are URLs.
function put(claims: Record<string, unknown>, name: string, value: unknown): void {
  const path = name.includes('://') ? [name] : name.split('.');
  const last = path.pop() ?? name;
  let at = claims;
  for (const part of path) at = (at[part] ??= {}) as Record<string, unknown>;
  at[last] = value;
}

/** What an added key says of its holder. @throws {TestingError} where the configuration has that client already, and for clients without a name. */
export function holdersOf(
  added: readonly ApiKeyOptions[],
  identity: Identity | undefined,
): ReadonlyMap<string, TestApiKey> {
  const listed = new Set(identity?.apiKeys.map(({ clientId }) => clientId));
  if (added.length > 0 && identity === undefined)
    throw new TestingError('apiKeys: the configuration has no `identity`, and so asks nobody for a key');
  const holders = new Map<string, TestApiKey>();
  for (const { clientId, roles = [], permissions = [], scopes = [], tier, tenant } of added) {
    if (typeof clientId !== 'string' || clientId === '')
      throw new TestingError('apiKeys: expected a clientId for each key');
    if (listed.has(clientId) || holders.has(clientId))
      throw new TestingError(
        `apiKeys: there is a key of "${clientId}" already; apiKey('${clientId}') gives its fields`,
      );
    const grants = { roles: [...roles], permissions: [...permissions], scopes: [...scopes] };
    holders.set(clientId, {
      clientId,
      ...grants,
      ...(tier !== undefined && { tier }),
      ...(tenant !== undefined && { tenant }),
    });
  }
  return holders;
}
