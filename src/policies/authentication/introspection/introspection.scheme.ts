import { hash } from 'node:crypto';
import { resolve } from 'node:path';
import type { IdentityOptions } from '../identity.schema.ts';
import type { Scheme, SchemeContext } from '../scheme.ts';
import { BearerVerifier, type TokenSource } from '../tokens/bearer.verifier.ts';
import { jwksFromDiscovery } from '../tokens/discovery-document.ts';
import { jwksFromFile, jwksFromUrl, type JwksLoader } from '../tokens/jwks-document.ts';
import { Jwks } from '../tokens/jwks.ts';
import { unavailable, type Clock } from '../verifier.ts';
import { clientAuthenticationOf, clientSecretOf, type ClientSecret } from './client-authentication.ts';
import { DiscoveredEndpoint } from './discovered-endpoint.ts';
import { IntrospectionEndpoint } from './introspection-endpoint.ts';
import type { IntrospectionOptions } from './introspection.schema.ts';
import { Introspector, type Introspecting } from './introspector.ts';
import { SignedAnswers } from './signed-answers.ts';

const JWKS_REFRESH_MS = 300_000;
const JWKS_COOLDOWN_MS = 10_000;

/** Tokens that the authorization server is asked about. */
export const introspectionScheme: Scheme = {
  name: 'introspection',
  checkedAgainst: 'identity.introspection',
  create(options, context) {
    return new BearerVerifier(sourceOf(options, context), options);
  },
};

function sourceOf({ introspection, revocation }: IdentityOptions, context: SchemeContext): TokenSource {
  if (introspection === undefined) return NOBODY;
  const secret = clientSecretOf(introspection, context.environment ?? process.env);
  const longestMs = revocation?.longest;
  // All that an answer is judged by, so that what is remembered goes on over a reload only where it would be judged alike.
  const same = hash('sha256', JSON.stringify([introspection, secret, longestMs ?? null]), 'base64url');
  return context.kept(`introspection ${same}`, () => {
    const clock = context.clock ?? Date.now;
    const rules = { options: introspection, longestMs };
    const { cache, circuitBreaker } = introspection;
    const endpoint = endpointOf(introspection, secret, clock);
    return new Introspector({ endpoint, rules, cache, circuitBreaker, clock });
  });
}

function endpointOf(options: IntrospectionOptions, secret: ClientSecret, clock: Clock): Introspecting {
  const { url = '', issuer = '', discovery, timeout: timeoutMs, answers } = options;
  const discovered = discovery === true ? new DiscoveredEndpoint(issuer, clock) : undefined;
  const keys = answers === 'json' ? undefined : keysOf(options, clock);
  const { algorithms, clientId, clockSkew } = options;
  const endpoint = new IntrospectionEndpoint({
    url: discovered === undefined ? () => url : (stop) => discovered.url(stop),
    client: clientAuthenticationOf(options, secret, issuer === '' ? url : issuer, clock),
    answers,
    signed: keys && new SignedAnswers({ keys, algorithms, issuer, clientId, clockSkew, clock }),
    timeoutMs,
  });
  return {
    ask: (token) => endpoint.ask(token),
    start() {
      keys?.start();
      discovered?.start();
    },
    close() {
      keys?.stop();
      endpoint.close();
    },
  };
}

function keysOf({ issuer = '', jwks, jwksFile }: IntrospectionOptions, clock: Clock): Jwks {
  const file = jwksFile === undefined ? undefined : resolve(jwksFile);
  const load: JwksLoader =
    file !== undefined
      ? jwksFromFile(file)
      : jwks === undefined
        ? jwksFromDiscovery(issuer)
        : jwksFromUrl(jwks);
  return new Jwks({
    issuer,
    load,
    ...(file === undefined ? {} : { file }),
    refreshMs: JWKS_REFRESH_MS,
    cooldownMs: JWKS_COOLDOWN_MS,
    clock,
  });
}

/** Where there is no authorization server to ask. */
const NOBODY: TokenSource = {
  scheme: 'introspection',
  configured: false,
  known: () => undefined,
  check() {
    throw unavailable(1000);
  },
};
