import { decodeJwt } from 'jose';
import { credentialsOf, type Principal } from '../../../exchange/principal.ts';
import type { ClaimNames } from '../identity.schema.ts';
import { marksOf, type RevocationMarks } from '../revocation/revocation-marks.ts';
import { principalOf } from '../tokens/token-principal.ts';

/** A session of a browser: what the provider gave, and since when. Times are in ms since the epoch. */
export interface Session {
  /** Names it for log-outs; opens nothing. */
  readonly id: string;
  /** Of the log-in; tokens that are refreshed do not make it younger. */
  readonly createdAt: number;
  /** The provider's name for it, if it has one. */
  readonly sid: string | undefined;
  readonly sub: string;
  readonly idToken: string;
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  readonly expiresAt: number;
  /** When the tokens are to be refreshed. */
  readonly refreshAt: number;
  /** When it was last written that somebody uses it. */
  readonly usedAt: number;
  /** Tokens that the provider gave since, and that nobody could check yet: kept, for those before are spent, and not used. */
  readonly unchecked?: Omit<SessionTokens, 'idToken'> | undefined;
}

/** The tokens of a session. */
export type SessionTokens = Pick<
  Session,
  'idToken' | 'accessToken' | 'refreshToken' | 'expiresAt' | 'refreshAt' | 'usedAt'
>;

/** How sessions become principals. */
export interface SessionTerms {
  readonly issuer: string;
  readonly clientId: string;
  readonly principal: 'idToken' | 'accessToken';
  readonly claims: ClaimNames;
  readonly idPrefix: string;
}

/** The access tokens of sessions, and their principals as those see them who give the tokens on. */
const tokens = new WeakMap<RevocationMarks, string>();
const bearers = new WeakMap<Principal, Principal>();
/** What a field can carry (RFC 6750 section 2.1). */
const BEARER = /^[\w.~+/-]+=*$/;

/** By what revocations name one session of the gateway. */
export function sessionMark(id: string): string {
  return `session:${id}`;
}

/** Who a session's caller is. The tokens were verified when they came, and nobody else could seal them. */
export function sessionPrincipal(session: Session, terms: SessionTerms): Principal {
  const claims = decodeJwt(terms.principal === 'idToken' ? session.idToken : session.accessToken);
  const marks = marksOf({
    issuer: terms.issuer,
    token: sessionMark(session.id),
    session: session.sid,
    subject: session.sub,
    issuedAt: Math.floor(session.createdAt / 1000),
  });
  // By the marks, which a caller keeps that proves more than its session.
  tokens.set(marks, session.accessToken);
  return Object.freeze({
    ...principalOf(claims, terms.claims, terms.idPrefix),
    scheme: 'session' as const,
    issuer: terms.issuer,
    clientId: terms.idPrefix + terms.clientId,
    marks,
  });
}

/** The principal of a session with its access token for services; any other one as it is. */
export function withBearer(principal: Principal): Principal {
  const known = bearers.get(principal);
  if (known !== undefined) return known;
  const bearer = credentialsOf(principal)
    .map(({ marks }) => marks && tokens.get(marks))
    .find((token) => token !== undefined);
  const carrier =
    bearer === undefined || !BEARER.test(bearer) ? principal : Object.freeze({ ...principal, bearer });
  bearers.set(principal, carrier);
  return carrier;
}

/** Writes a session as a text. */
export function writeSession(session: Session): string {
  return JSON.stringify(session);
}

/** Reads what {@link writeSession} wrote; only ever asked for what we have sealed ourselves. */
export function readSession(text: string): Session {
  return JSON.parse(text) as Session;
}
