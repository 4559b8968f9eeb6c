import { compactVerify, decodeProtectedHeader } from 'jose';
import { ASYMMETRIC_ALGORITHMS } from '../issuer-options.schema.ts';
import { Problem } from '../../../problems/problem.ts';
import type { KeySource } from '../tokens/signing-key.ts';

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
const SKEW_S = 60;
/** What a logout token without `exp` is good for. */
const LIFE_S = 600;

/** Whom a logout token ends. */
export interface LogoutToken {
  readonly sid: string | undefined;
  readonly sub: string | undefined;
  readonly jti: string;
  /** Until when it may be used, in seconds since the epoch. */
  readonly until: number;
}

/** What a logout token is checked against. */
export interface LogoutTerms {
  readonly issuer: string;
  readonly clientId: string;
  readonly requireExp: boolean;
  readonly keys: KeySource;
  readonly nowS: number;
}

/**
 * Checks a logout token (OpenID Connect Back-Channel Logout 1.0 section 2.6), but for its having been used before.
 *
 * @throws {Problem} `request-invalid` that says which check has failed; `identity-unavailable` where keys are missing.
 */
export async function readLogoutToken(text: string, terms: LogoutTerms): Promise<LogoutToken> {
  const claims = await verified(text, terms.keys);
  const { iss, aud, iat, exp, sub, sid, jti, nonce, events } = claims;
  if (iss !== terms.issuer) throw refused('iss');
  if (![aud].flat().includes(terms.clientId)) throw refused('aud');
  if (typeof iat !== 'number' || iat > terms.nowS + SKEW_S) throw refused('iat');
  const until = exp === undefined && !terms.requireExp ? iat + LIFE_S : exp;
  if (typeof until !== 'number' || until + SKEW_S <= terms.nowS) throw refused('exp');
  if (typeof jti !== 'string' || jti === '') throw refused('jti');
  // An ID token has one: it must not end a session (section 2.4).
  if (nonce !== undefined) throw refused('nonce');
  if (!isEvent(events)) throw refused('events');
  const [session, subject] = [nameOf(sid, 'sid'), nameOf(sub, 'sub')];
  if (session === undefined && subject === undefined) throw refused('sub');
  return { sid: session, sub: subject, jti, until };
}

async function verified(text: string, keys: KeySource): Promise<Readonly<Record<string, unknown>>> {
  try {
    const { alg, kid, typ } = decodeProtectedHeader(text);
    const algorithm = ASYMMETRIC_ALGORITHMS.find((one) => one === alg);
    if (algorithm === undefined) throw refused('alg');
    if (typ !== undefined && !/^(?:application\/)?(?:logout\+jwt|jwt)$/i.test(typ)) throw refused('typ');
    const key = await keys.find(kid, algorithm);
    if (key === undefined) throw refused('kid');
    const { payload } = await compactVerify(text, key.object, { algorithms: [algorithm] });
    const claims: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
    if (typeof claims === 'object' && claims !== null) return claims as Record<string, unknown>;
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw refused('signature', error);
  }
  throw refused('claims');
}

function isEvent(events: unknown): boolean {
  if (typeof events !== 'object' || events === null || !Object.hasOwn(events, EVENT)) return false;
  const event = (events as Record<string, unknown>)[EVENT];
  return typeof event === 'object' && event !== null && !Array.isArray(event);
}

function nameOf(value: unknown, claim: string): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || value === '') throw refused(claim);
  return value;
}

function refused(what: string, cause?: unknown): Problem {
  return new Problem('request-invalid', { detail: `The logout token is refused: ${what}.`, cause });
}
