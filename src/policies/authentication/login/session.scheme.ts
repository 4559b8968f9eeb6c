import { readSecret, readSecrets } from '../../../config/secrets.ts';
import { eachOf, IdentityFault, secretAt } from '../identity-fault.ts';
import type { IdentityOptions } from '../identity.schema.ts';
import { claimNames } from '../issuer-options.schema.ts';
import { Revocations } from '../revocation/revocations.ts';
import { hasRedis, type Scheme, type SchemeContext } from '../scheme.ts';
import { jwtVerifierOf } from '../tokens/jwt.scheme.ts';
import type { Clock } from '../verifier.ts';
import { KeyRing } from './key-ring.ts';
import { Login } from './login.ts';
import type { LoginOptions } from './login.schema.ts';
import { LoginProvider } from './provider.ts';
import { cookiesOf } from './cookie-lift.stage.ts';
import { RenewalMemory } from './renewal.ts';
import { CookieSessions, RedisSessions, type SessionStore } from './session-store.ts';
import { SessionVerifier } from './session.verifier.ts';
import type { SessionTerms } from './session.ts';

/** Sessions of browsers that have logged in. */
export const sessionScheme: Scheme = {
  name: 'session',
  checkedAgainst: 'identity.login',
  create(identity, context) {
    const { login } = identity;
    if (login === undefined) return new SessionVerifier();
    const clock = context.clock ?? Date.now;
    const [keys, secret] = eachOf<unknown>([
      () => keyRing(login, context),
      () => secretOf(login, context),
      () => checkRevocation(identity, login),
      () => checkStore(login, context),
    ]) as [KeyRing, string | undefined];
    const provider = context.kept(
      `session ${JSON.stringify([login, secret])}`,
      () => new LoginProvider(login, secret),
    );
    const deps = {
      options: login,
      provider,
      cookies: cookiesOf(login),
      store: storeOf(login, keys, context, clock),
      keys,
      redis: context.redis,
      guard: context.guard,
      revocations: context.revocations ?? new Revocations(),
      clock,
      checkAccessToken: accessTokenCheck(identity, login, context),
    };
    const terms = termsOf(identity, login);
    // Tokens that are being refreshed go on over a reload: asked for twice, a provider takes them for stolen.
    const renewals = context.kept(
      `session renewals ${JSON.stringify([purposeOf(login), login.session.store, keys.name])}`,
      () => new RenewalMemory(),
    );
    const { max } = identity.tokenCache;
    return new SessionVerifier({ login: new Login(deps), terms, max, renewals, audit: context.audit });
  },
};

/**
 * What sessions are sealed for: a session of another provider, or whose other token was checked, would make another caller of
 * its user, so that a configuration that changes that knows none of those before.
 */
export function purposeOf(login: LoginOptions): string {
  const { issuer, clientId, principal } = login;
  return JSON.stringify(['session', issuer, clientId, principal, cookiesOf(login).name]);
}

function storeOf(login: LoginOptions, keys: KeyRing, context: SchemeContext, clock: Clock): SessionStore {
  const { session } = login;
  const { redis, guard } = context;
  const purpose = purposeOf(login);
  // What only looks at a configuration opens no session.
  return session.store === 'cookie' || redis === undefined
    ? new CookieSessions(keys, purpose)
    : new RedisSessions({ redis, guard, keys, purpose, life: session, clock });
}

function checkStore({ session }: LoginOptions, context: SchemeContext): void {
  if (session.store !== 'cookie' && !hasRedis(context))
    throw new IdentityFault(
      ['login', 'session', 'store'],
      'there is no Redis: set REDIS_URL, or say `cookie`',
    );
}

// Fails closed: without revocations a log-out would leave copies of the cookie in force.
function checkRevocation({ revocation }: IdentityOptions, { session }: LoginOptions): void {
  if (revocation === undefined)
    throw new IdentityFault(
      ['login'],
      'sessions are ended by revocations: add `identity.revocation`, such as `revocation: {}`',
    );
  if (revocation.longest < session.absolute)
    throw new IdentityFault(
      ['login', 'session', 'absolute'],
      'a session would outlive its revocation: expected at most `identity.revocation.longest`',
    );
}

function keyRing({ session }: LoginOptions, context: SchemeContext): KeyRing {
  const { keysEnv: variable, keysFile: file } = session;
  const { environment } = context;
  const key = file === undefined ? 'keysEnv' : 'keysFile';
  return new KeyRing(secretAt(['login', 'session', key], () => readSecrets({ variable, file, environment })));
}

function secretOf(
  { clientSecretEnv: variable, clientSecretFile: file }: LoginOptions,
  { environment }: SchemeContext,
): string | undefined {
  if (variable === undefined && file === undefined) return undefined;
  const key = file === undefined ? 'clientSecretEnv' : 'clientSecretFile';
  return secretAt(['login', key], () => readSecret({ variable, file, environment }));
}

function accessTokenCheck(
  identity: IdentityOptions,
  { principal, issuer }: LoginOptions,
  context: SchemeContext,
) {
  if (principal === 'idToken') return async (): Promise<void> => undefined;
  if (!identity.issuers.some((one) => one.issuer === issuer))
    throw new IdentityFault(
      ['login', 'principal'],
      'access tokens are checked as those of callers: list the same issuer under `identity.issuers`',
    );
  const verifier = jwtVerifierOf(identity, context);
  return (token: string): Promise<unknown> => verifier.check(token);
}

function termsOf({ issuers }: IdentityOptions, login: LoginOptions): SessionTerms {
  const same = issuers.find(({ issuer }) => issuer === login.issuer);
  return {
    issuer: login.issuer,
    clientId: login.clientId,
    principal: login.principal,
    claims: login.claims ?? same?.claims ?? claimNames.parse({}),
    idPrefix: login.idPrefix ?? same?.idPrefix ?? '',
  };
}
