import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Provider } from 'oidc-provider';

/** A client of the identity provider, and what its tokens say. */
export interface IdentityClient {
  readonly id: string;
  /** Claims that every access token of the client carries, such as `roles` and `email`. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** Scopes that it may ask for, space-separated. Default `read write`. */
  readonly scope?: string;
}

/** A running OpenID provider. */
export interface IdentityProvider {
  /** The `iss` of its tokens. */
  readonly issuer: string;
  readonly jwksUrl: string;
  /** The `aud` of its tokens, by signature algorithm. */
  readonly audiences: { readonly RS256: string; readonly ES256: string };
  /** Gets an access token by the client-credentials grant (RFC 6749 section 4.4). */
  token(clientId: string, options?: { algorithm?: 'RS256' | 'ES256'; scope?: string }): Promise<string>;
  /** Ends the server and its connections; safe to call twice. */
  stop(): Promise<void>;
}

const AUDIENCES = { RS256: 'https://rs256.api.test', ES256: 'https://es256.api.test' } as const;
const SECRET = 'a-secret-for-tests-only';
const TOKEN_TTL_S = 600;
const DEFAULT_SCOPE = 'read write';

/** Starts an OpenID provider on a free port of the loopback interface. */
export async function startIdentityProvider(clients: readonly IdentityClient[]): Promise<IdentityProvider> {
  let handle: RequestListener = (_request, response) => response.writeHead(503).end();
  const server = createServer((request, response) => handle(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const issuer = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  handle = new Provider(issuer, configurationOf(clients)).callback();
  return {
    issuer,
    jwksUrl: `${issuer}/jwks`,
    audiences: AUDIENCES,
    token: (clientId, options) => requestToken(issuer, clientId, options),
    stop: async () => {
      if (!server.listening) return;
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function configurationOf(clients: readonly IdentityClient[]): object {
  const claims = new Map(clients.map((client) => [client.id, client.claims]));
  return {
    jwks: { keys: [privateJwk('RS256'), privateJwk('ES256')] },
    clients: clients.map((client) => ({
      client_id: client.id,
      client_secret: SECRET,
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: [],
      token_endpoint_auth_method: 'client_secret_basic',
      scope: client.scope ?? DEFAULT_SCOPE,
    })),
    scopes: [...new Set(clients.flatMap((client) => (client.scope ?? DEFAULT_SCOPE).split(' ')))],
    cookies: { keys: ['not-a-secret'] },
    ttl: { ClientCredentials: TOKEN_TTL_S },
    extraTokenClaims: (_context: unknown, token: { clientId: string }) => claims.get(token.clientId),
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => AUDIENCES.RS256,
        getResourceServerInfo: (_context: unknown, audience: string, client: { scope: string }) => ({
          audience,
          scope: client.scope,
          accessTokenTTL: TOKEN_TTL_S,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: audience === AUDIENCES.ES256 ? 'ES256' : 'RS256' } },
        }),
      },
    },
  };
}

function privateJwk(algorithm: 'RS256' | 'ES256'): object {
  const { privateKey } =
    algorithm === 'RS256'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { ...privateKey.export({ format: 'jwk' }), alg: algorithm, kid: `${algorithm}-key`, use: 'sig' };
}

async function requestToken(
  issuer: string,
  clientId: string,
  { algorithm = 'RS256', scope }: { algorithm?: 'RS256' | 'ES256'; scope?: string } = {},
): Promise<string> {
  const form = new URLSearchParams({ grant_type: 'client_credentials', resource: AUDIENCES[algorithm] });
  if (scope !== undefined) form.set('scope', scope);
  const authorization = `Basic ${Buffer.from(`${clientId}:${SECRET}`).toString('base64')}`;
  const response = await fetch(`${issuer}/token`, { method: 'POST', headers: { authorization }, body: form });
  const answer: unknown = await response.json();
  if (typeof answer === 'object' && answer !== null && 'access_token' in answer)
    return String(answer.access_token);
  throw new Error(`the identity provider gave no token: ${JSON.stringify(answer)}`);
}
