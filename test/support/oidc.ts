import { generateKeyPairSync, randomUUID } from 'node:crypto';
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
  /** Whether what it hears about tokens is signed, where it asks for that (RFC 9701). Default no. */
  readonly hearsSigned?: boolean;
}

/** How a token is asked for. */
export interface TokenRequest {
  /** Signed, or `opaque`. Default RS256. */
  readonly algorithm?: 'RS256' | 'ES256' | 'opaque';
  readonly scope?: string;
  /** The proof that the token is to be bound by (RFC 9449 section 5). */
  readonly proof?: (url: string) => Promise<string>;
}

/** A running OpenID provider. */
export interface IdentityProvider {
  /** The `iss` of its tokens. */
  readonly issuer: string;
  /** The secret of every client. */
  readonly secret: string;
  readonly jwksUrl: string;
  /** The `aud` of its tokens, by signature algorithm. */
  readonly audiences: { readonly RS256: string; readonly ES256: string; readonly opaque: string };
  /** Gets an access token by the client-credentials grant (RFC 6749 section 4.4). */
  token(clientId: string, options?: TokenRequest): Promise<string>;
  /** Revokes a token of a client (RFC 7009). */
  revoke(clientId: string, token: string): Promise<void>;
  /** Signs with other keys from now on. */
  rotate(): void;
  /** Ends the server and its connections; safe to call twice. */
  stop(): Promise<void>;
}

const AUDIENCES = {
  RS256: 'https://rs256.api.test',
  ES256: 'https://es256.api.test',
  opaque: 'https://opaque.api.test',
} as const;
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
    secret: SECRET,
    jwksUrl: `${issuer}/jwks`,
    audiences: AUDIENCES,
    token: (clientId, options) => requestToken(issuer, clientId, options),
    revoke: async (clientId, token) => {
      const body = new URLSearchParams({ token });
      await fetch(`${issuer}/token/revocation`, { method: 'POST', headers: basicOf(clientId), body });
    },
    rotate: () => {
      handle = new Provider(issuer, configurationOf(clients)).callback();
    },
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
      token_endpoint_auth_method: 'client_secret_basic',
      ...(client.hearsSigned === true && { introspection_signed_response_alg: 'RS256' }),
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: [],
      scope: client.scope ?? DEFAULT_SCOPE,
    })),
    scopes: [...new Set(clients.flatMap((client) => (client.scope ?? DEFAULT_SCOPE).split(' ')))],
    cookies: { keys: ['not-a-secret'] },
    ttl: { ClientCredentials: TOKEN_TTL_S },
    extraTokenClaims: (_context: unknown, token: { clientId: string }) => claims.get(token.clientId),
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      jwtIntrospection: { enabled: true },
      revocation: { enabled: true },
      dPoP: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => AUDIENCES.RS256,
        getResourceServerInfo: (_context: unknown, audience: string, client: { scope: string }) => ({
          audience,
          scope: client.scope,
          accessTokenTTL: TOKEN_TTL_S,
          accessTokenFormat: audience === AUDIENCES.opaque ? 'opaque' : 'jwt',
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
  return {
    ...privateKey.export({ format: 'jwk' }),
    alg: algorithm,
    kid: `${algorithm}-${randomUUID()}`,
    use: 'sig',
  };
}

async function requestToken(
  issuer: string,
  clientId: string,
  { algorithm = 'RS256', scope, proof }: TokenRequest = {},
): Promise<string> {
  const form = new URLSearchParams({ grant_type: 'client_credentials', resource: AUDIENCES[algorithm] });
  if (scope !== undefined) form.set('scope', scope);
  const url = `${issuer}/token`;
  const headers = { ...basicOf(clientId), ...(proof && { dpop: await proof(url) }) };
  const response = await fetch(url, { method: 'POST', headers, body: form });
  const answer: unknown = await response.json();
  if (typeof answer === 'object' && answer !== null && 'access_token' in answer)
    return String(answer.access_token);
  throw new Error(`the identity provider gave no token: ${JSON.stringify(answer)}`);
}

function basicOf(clientId: string): { readonly authorization: string } {
  return { authorization: `Basic ${Buffer.from(`${clientId}:${SECRET}`).toString('base64')}` };
}
