import type { Redis } from 'ioredis';
import type { StoreGuard } from '../../../store/store-guard.ts';
import { randomBytes } from 'node:crypto';
import { randomNonce, randomPKCECodeVerifier, randomState } from 'openid-client';
import { Problem } from '../../../problems/problem.ts';
import { digestOf, secondsOf } from '../revocation/revocation-marks.ts';
import type { Revocations } from '../revocation/revocations.ts';
import { unavailable, type Clock } from '../verifier.ts';
import type { KeyRing } from './key-ring.ts';
import type { LoginOptions } from './login.schema.ts';
import type { LogoutToken } from './logout-token.ts';
import type { GrantedTokens, LoginProvider } from './provider.ts';
import { isOutage } from './provider-fault.ts';
import { SeenOnce } from './seen-once.ts';
import type { SessionCookies } from './session-cookies.ts';
import { sessionMark, type Session, type SessionTokens } from './session.ts';
import type { SessionStore } from './session-store.ts';
import { Unbelievable } from './renewal.ts';
import { Transactions, type Transaction } from './transactions.ts';

const ID_BYTES = 16;
const RETRY_AFTER_MS = 1000;
const LONGEST_LEAD_S = 30;
const LEAD_SHARE = 0.1;
/** What a token lives that does not say so, in seconds. */
const UNSAID_LIFE_S = 300;

/** What log-ins work with. */
export interface LoginDeps {
  readonly options: LoginOptions;
  readonly provider: LoginProvider;
  readonly cookies: SessionCookies;
  readonly store: SessionStore;
  readonly keys: KeyRing;
  readonly redis: Redis | undefined;
  readonly guard?: StoreGuard | undefined;
  readonly revocations: Revocations;
  readonly clock: Clock;
  /** Checks an access token that says who calls. Rejects with a problem. */
  checkAccessToken(token: string): Promise<unknown>;
}

/** Begins and ends sessions. */
export class Login {
  readonly deps: LoginDeps;
  readonly transactions: Transactions;
  readonly once: SeenOnce;

  constructor(deps: LoginDeps) {
    this.deps = deps;
    this.once = new SeenOnce(deps.redis, deps.guard);
    this.transactions = new Transactions(deps.cookies, deps.keys, this.once, deps.clock);
  }

  /** What a log-in that begins now has to remember. @param back where it ends. @param suffix of its state. */
  transaction(back: string, suffix = ''): Transaction {
    const at = this.deps.clock();
    return {
      state: randomState() + suffix,
      nonce: randomNonce(),
      verifier: randomPKCECodeVerifier(),
      back,
      at,
    };
  }

  /** Ends a log-in. @returns the value of the session's cookie. @throws {Problem} `login-failed`, `identity-unavailable`. */
  async finish(query: string, transaction: Transaction): Promise<string> {
    const { provider, store, options, clock } = this.deps;
    const granted = await provider.exchange(query, transaction).catch((error: unknown) => {
      throw isOutage(error)
        ? unavailable(RETRY_AFTER_MS, error)
        : failed('The provider did not log in.', error);
    });
    const { idToken, claims, accessToken } = granted;
    if (idToken === undefined || typeof claims?.['sub'] !== 'string')
      throw failed('The provider did not say who has logged in.');
    if (options.principal === 'accessToken') await this.deps.checkAccessToken(accessToken);
    const sid = claims['sid'];
    const session: Session = {
      id: randomBytes(ID_BYTES).toString('base64url'),
      createdAt: clock(),
      sid: typeof sid === 'string' && sid !== '' ? sid : undefined,
      sub: claims['sub'],
      idToken,
      ...this.#times(granted),
    };
    try {
      return await store.begin(session);
    } catch (error) {
      throw unavailable(RETRY_AFTER_MS, error);
    }
  }

  /**
   * A session with new tokens. Where nobody can check them now they are kept with it, unused, and checked at the next refresh,
   * which asks the provider for no others.
   *
   * Rejects as the provider's library does. @throws {Unbelievable} for tokens of somebody else.
   */
  async refreshed(session: Session): Promise<Session> {
    const { unchecked, ...before } = session;
    const given = unchecked ? { ...unchecked, idToken: session.idToken } : await this.#given(session);
    if (this.deps.options.principal !== 'accessToken') return { ...before, ...given };
    try {
      await this.deps.checkAccessToken(given.accessToken);
      return { ...before, ...given };
    } catch (error) {
      if (!(error instanceof Problem) || error.status === 401) throw new Unbelievable('another access token');
      const refreshAt = this.deps.clock() + RETRY_AFTER_MS;
      // The ID token says nothing here, and cookies are small: there is one of it only.
      const { idToken, ...rest } = given;
      return { ...before, idToken, refreshToken: given.refreshToken, refreshAt, unchecked: rest };
    }
  }

  async #given(session: Session): Promise<SessionTokens> {
    const granted = await this.deps.provider.refresh(session.refreshToken ?? '');
    // OpenID Connect Core 12.2; issuer and audience are checked by the library.
    if (granted.claims !== undefined && granted.claims['sub'] !== session.sub)
      throw new Unbelievable('another subject');
    return {
      ...this.#times(granted),
      idToken: granted.idToken ?? session.idToken,
      // No new one: the old one goes on.
      refreshToken: granted.refreshToken ?? session.refreshToken,
    };
  }

  /**
   * Ends a session, here at once and everywhere soon.
   *
   * @throws {Problem} `identity-unavailable` where other replicas cannot be told.
   */
  async end(value: string, session: Session): Promise<void> {
    const { store, provider, revocations, options } = this.deps;
    const jti = sessionMark(session.id);
    const endMs = session.createdAt + options.session.absolute;
    const token = { jti, forMs: Math.max(1, Math.ceil(endMs - this.deps.clock())) };
    const revoked = revocations.revoke([
      { digest: digestOf('jti', '', jti), time: Math.ceil(secondsOf(endMs)), token },
    ]);
    const told = await Promise.all([revoked, store.end(value)]).catch((error: unknown) => {
      throw unavailable(RETRY_AFTER_MS, error);
    });
    // Fails closed: who is told that a session has ended relies on it.
    if (told[0] !== 'everywhere') throw unavailable(RETRY_AFTER_MS);
    if (session.refreshToken !== undefined) provider.revoke(session.refreshToken);
  }

  /** Ends the sessions that a logout token names. @throws {Problem} like {@link end}. */
  async endNamed({ sid, sub }: LogoutToken): Promise<void> {
    const { revocations, options, clock } = this.deps;
    const { issuer, session } = options;
    const named =
      sid === undefined
        ? // In whole seconds, rounded up, as the times of tokens are rounded down.
          { digest: digestOf('sub', issuer, sub ?? ''), time: -(Math.floor(secondsOf(clock())) + 1) }
        : { digest: digestOf('sid', issuer, sid), time: Math.ceil(secondsOf(clock() + session.absolute)) };
    if ((await revocations.revoke([named])) !== 'everywhere') throw unavailable(RETRY_AFTER_MS);
  }

  #times({ accessToken, refreshToken, expiresIn, claims }: GrantedTokens) {
    const now = this.deps.clock();
    const exp = claims?.['exp'];
    const untilExp = typeof exp === 'number' ? exp - now / 1000 : UNSAID_LIFE_S;
    const lifeS = Math.max(0, expiresIn ?? untilExp);
    // Half of a short life at most, and not all sessions at the same moment.
    const leadS =
      Math.min(Math.max(LONGEST_LEAD_S, lifeS * LEAD_SHARE), lifeS / 2) * (1 + Math.random() * LEAD_SHARE);
    const expiresAt = now + lifeS * 1000;
    const refreshAt = refreshToken === undefined ? expiresAt : expiresAt - leadS * 1000;
    return { accessToken, refreshToken, expiresAt, refreshAt, usedAt: now };
  }
}

/** A log-in that has failed, and whose fault is not the gateway's. */
export function failed(detail: string, cause?: unknown): Problem {
  return new Problem('login-failed', { detail, cause });
}
