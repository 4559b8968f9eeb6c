import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import type { IdentityOptions } from '../policies/authentication/identity.schema.ts';
import { createApiKey, hashApiKey } from '../policies/authentication/api-keys/api-key.ts';
import type { GatewaySource } from '../routing/table-builder.ts';
import type { TestApiKey } from './principals.schema.ts';
import type { RouteTests } from './route-tests.schema.ts';
import { SECRET_VARIABLE } from './made-up-secrets.ts';

type Value = GatewaySource['value'];

/**
 * Issuers and holders of keys that a simulation plays itself. The gateway checks credentials as ever; only the keys that it
 * checks them with are made here, for this run, and known to nobody else.
 */
export class SimulatedIdentity {
  readonly #signing: KeyObject;
  readonly #publicKey: string;
  readonly #keys = new Map<string, string>();

  constructor() {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.#signing = privateKey;
    this.#publicKey = publicKey.export({ type: 'spki', format: 'pem' }) as string;
  }

  /** The same configuration, with issuers and keys that are played here. @param authority of whoever plays the authorization server. */
  standFor(value: Value, tests: Pick<RouteTests, 'principals'>, authority: string): Value {
    const { identity } = value;
    if (identity === undefined) return value;
    const { issuers, introspection, login } = identity;
    return {
      ...value,
      identity: {
        ...identity,
        issuers: issuers.map((one) => this.#played(one)),
        apiKeys: this.#apiKeys(identity, tests),
        ...(introspection && { introspection: asked(introspection, authority) }),
        ...(login && { login: { ...login, session: { ...login.session, store: 'cookie' } } }),
      },
    };
  }

  /** Signs the claims of a token. */
  token(claims: Readonly<Record<string, unknown>>, typ = 'JWT'): string {
    const parts = [{ alg: 'ES256', typ }, claims].map((part) =>
      Buffer.from(JSON.stringify(part)).toString('base64url'),
    );
    const text = parts.join('.');
    const signature = sign('sha256', Buffer.from(text), { key: this.#signing, dsaEncoding: 'ieee-p1363' });
    return `${text}.${signature.toString('base64url')}`;
  }

  /** The key of a client; the same one each time. */
  apiKey(holder: TestApiKey | { readonly clientId: string }): string {
    const name = JSON.stringify(holder);
    const known = this.#keys.get(name) ?? createApiKey('test').key;
    this.#keys.set(name, known);
    return known;
  }

  #played(issuer: IdentityOptions['issuers'][number]): IdentityOptions['issuers'][number] {
    const { jwks: _jwks, jwksFile: _file, discovery: _discovery, secretEnv: _secret, ...others } = issuer;
    const { secretFile: _shared, ...rest } = others;
    return { ...rest, publicKey: this.#publicKey, algorithms: ['ES256'] };
  }

  #apiKeys(
    { apiKeys }: IdentityOptions,
    { principals }: Pick<RouteTests, 'principals'>,
  ): IdentityOptions['apiKeys'] {
    const listed = [...apiKeys];
    for (const { apiKey } of Object.values(principals)) {
      if (apiKey === undefined) continue;
      const sha256 = hashApiKey(this.apiKey(apiKey));
      if (!('isListed' in apiKey)) listed.push({ ...apiKey, sha256, enabled: true });
      else {
        const at = listed.findIndex(({ clientId }) => clientId === apiKey.clientId);
        const found = listed[at];
        if (found !== undefined) listed[at] = { ...found, sha256 };
      }
    }
    return listed;
  }
}

function asked(
  options: NonNullable<IdentityOptions['introspection']>,
  authority: string,
): NonNullable<IdentityOptions['introspection']> {
  const { clientId, issuer, audiences, tokenType, claims, idPrefix, clockSkew, timeout, cache } = options;
  const kept = { clientId, issuer, audiences, tokenType, claims, idPrefix, clockSkew, timeout, cache };
  const { circuitBreaker, algorithms, clientAuthentication } = options;
  const url = `http://${authority}/introspect`;
  const how = { answers: 'json', clientSecretEnv: SECRET_VARIABLE } as const;
  return { ...kept, circuitBreaker, algorithms, clientAuthentication, ...how, url };
}

/** A token that says nothing. */
export function opaqueToken(): string {
  return `simulated.${randomBytes(24).toString('hex')}`;
}
