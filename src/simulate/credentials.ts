import { X509Certificate } from 'node:crypto';
import { readSecrets } from '../config/secrets.ts';
import type { IdentityOptions } from '../policies/authentication/identity.schema.ts';
import { cookiesOf } from '../policies/authentication/login/cookie-lift.stage.ts';
import { KeyRing } from '../policies/authentication/login/key-ring.ts';
import type { LoginOptions } from '../policies/authentication/login/login.schema.ts';
import { purposeOf } from '../policies/authentication/login/session.scheme.ts';
import { CookieSessions } from '../policies/authentication/login/session-store.ts';
import type { ClientCertificate } from '../exchange/client-connection.ts';
import type { AuthorizationServer } from './authorization-server.ts';
import type { TestPrincipal } from './principals.schema.ts';
import { opaqueToken, type SimulatedIdentity } from './simulated-identity.ts';

const HOUR_S = 3600;
const YEAR_MS = 365 * 86_400_000;

/** What a caller sends to prove who it is. */
export interface Credentials {
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly certificate?: ClientCertificate | undefined;
}

/** What credentials are made with. */
export interface CredentialDeps {
  /** The section that is in force. */
  readonly identity: IdentityOptions;
  readonly played: SimulatedIdentity;
  readonly server: AuthorizationServer;
  /** In ms since the epoch. */
  readonly nowMs: number;
  /** The text of a file. */
  read(file: string): string;
}

/** Makes the credentials of a caller. */
export function credentialsOf(principal: TestPrincipal, deps: CredentialDeps): Credentials {
  const { claims, introspected, apiKey, session, certificate } = principal;
  const { identity, played, server } = deps;
  const headers: Record<string, string> = {};
  if (claims !== undefined) headers['authorization'] = `Bearer ${signed(claims, deps)}`;
  if (introspected !== undefined) {
    const token = opaqueToken();
    server.knows(token, withTimes(introspected, deps.nowMs));
    headers['authorization'] = `Bearer ${token}`;
  }
  if (apiKey !== undefined) headers[identity.apiKeyOptions.header] = played.apiKey(apiKey);
  if (session !== undefined && identity.login !== undefined)
    headers['cookie'] = cookieOf(session, identity.login, deps);
  return { headers, certificate: certificate === undefined ? undefined : shown(deps.read(certificate)) };
}

function signed(
  claims: Readonly<Record<string, unknown>>,
  { identity, played, nowMs }: CredentialDeps,
): string {
  const issuer = identity.issuers.find((one) => one.issuer === (claims['iss'] ?? one.issuer));
  const usual = { iss: issuer?.issuer, aud: issuer?.audiences[0] };
  return played.token({ ...usual, ...withTimes(claims, nowMs) }, issuer?.typ?.[0]);
}

function withTimes(
  claims: Readonly<Record<string, unknown>>,
  nowMs: number,
): Readonly<Record<string, unknown>> {
  const iat = Math.floor(nowMs / 1000);
  return { iat, exp: iat + HOUR_S, ...claims };
}

// What a log-in would leave with the browser.
function cookieOf(
  claims: Readonly<Record<string, unknown>>,
  login: LoginOptions,
  { played, nowMs }: CredentialDeps,
): string {
  const { keysEnv: variable, keysFile: file } = login.session;
  const secrets = readSecrets({ variable, file });
  const sessions = new CookieSessions(new KeyRing(secrets), purposeOf(login));
  const token = played.token({ iss: login.issuer, aud: login.clientId, ...withTimes(claims, nowMs) });
  const sub = String(claims['sub']);
  const sid = claims['sid'] === undefined ? undefined : String(claims['sid']);
  const ends = { expiresAt: nowMs + YEAR_MS, refreshAt: nowMs + YEAR_MS };
  const value = sessions.begin({
    id: `simulated-${sub}`,
    createdAt: nowMs,
    usedAt: nowMs,
    sid,
    sub,
    idToken: token,
    accessToken: token,
    refreshToken: undefined,
    ...ends,
  });
  const written = cookiesOf(login).write(value);
  const pairs = written.filter((_, at) => at % 2 === 1).map((field) => field.split(';')[0] ?? '');
  return pairs.filter((pair) => !pair.endsWith('=')).join('; ');
}

function shown(pem: string): ClientCertificate {
  const x509 = new X509Certificate(pem);
  return { x509, fingerprint: x509.fingerprint256.replaceAll(':', '').toLowerCase() };
}
