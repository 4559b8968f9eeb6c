import { LRUCache } from 'lru-cache';
import type { Exchange } from '../../../exchange/exchange.ts';
import type { Principal } from '../../../exchange/principal.ts';
import { Problem } from '../../../problems/problem.ts';
import type { LoginEvents } from '../scheme.ts';
import { REALM, refused, unavailable, UNKNOWN, type CredentialVerifier } from '../verifier.ts';
import { refuseForeignPage } from './foreign-page.ts';
import type { Login } from './login.ts';
import { refusedRefresh } from './refused-refresh.ts';
import { SessionRenewal, type Renewal, type RenewalMemory } from './renewal.ts';
import { sessionPrincipal, type Session, type SessionTerms } from './session.ts';

/** How long a session of this process is believed without a look at its store, in ms. What ends it is told to all at once. */
const RECHECK_MS = 5000;
const RETRY_AFTER_MS = 1000;
/** The share of its idle time after which a session is written as used. */
const USE_SHARE = 0.1;

interface LiveSession {
  readonly session: Session;
  readonly principal: Principal;
  /** Until when nothing about it has to be looked at, in ms since the epoch. */
  readonly checkAt: number;
  /** When its use was last noted. */
  readonly notedAt: number;
  /** When this process last looked at it. */
  readonly seenAt: number;
}

/** A session and the value of its cookie. */
export interface FoundSession {
  readonly value: string;
  readonly session: Session;
}

/** What sessions are verified with. */
export interface SessionDeps {
  readonly login: Login;
  readonly terms: SessionTerms;
  /** How many sessions are remembered. */
  readonly max: number;
  readonly renewals: RenewalMemory;
  /** Default: nobody takes note. */
  readonly audit?: LoginEvents | undefined;
}

/** Verifies the sessions of browsers, and keeps their tokens fresh. */
export class SessionVerifier implements CredentialVerifier {
  readonly scheme = 'session';
  /** Undefined where nobody can log in. */
  readonly login: Login | undefined;
  readonly #terms: SessionTerms | undefined;
  readonly #live: LRUCache<string, LiveSession>;
  readonly #origins: ReadonlySet<string>;
  readonly #renewal: SessionRenewal | undefined;
  readonly #audit: LoginEvents | undefined;
  /** Refusals of the provider that were taken note of: many requests may wait for one. */
  readonly #told = new WeakSet<Renewal>();

  constructor(deps?: SessionDeps) {
    this.login = deps?.login;
    this.#terms = deps?.terms;
    this.#audit = deps?.audit;
    this.#live = new LRUCache({ max: deps?.max ?? 1 });
    const { options, store, redis, guard, keys } = deps?.login.deps ?? {};
    this.#origins = new Set(options === undefined ? [] : [options.publicOrigin, ...options.origins]);
    this.#renewal =
      deps && options && store && keys
        ? new SessionRenewal({
            store,
            redis,
            guard,
            keys,
            memory: deps.renewals,
            timeoutMs: options.timeout,
            refresh: (session) => deps.login.refreshed(session),
          })
        : undefined;
  }

  get configured(): boolean {
    return this.login !== undefined;
  }

  challenge(): string {
    const form = this.login === undefined ? '' : `, form-action="${this.login.deps.options.paths.login}"`;
    return `Cookie realm="${REALM}"${form}`;
  }

  verify(exchange: Exchange): Principal | Promise<Principal> | undefined {
    const known = this.known(exchange);
    if (known !== UNKNOWN || this.login === undefined) return known === UNKNOWN ? undefined : known;
    return this.#check(this.login, this.login.deps.cookies.read(exchange.request) ?? '', exchange);
  }

  known(exchange: Exchange): Principal | typeof UNKNOWN | undefined {
    const found = this.login?.deps.cookies.read(exchange.request);
    if (this.login === undefined || found === undefined) return undefined;
    refuseForeignPage(exchange.request, this.#origins);
    const live = this.#live.get(found);
    return live !== undefined && this.login.deps.clock() < live.checkAt ? live.principal : UNKNOWN;
  }

  forget({ responseHeaders }: Exchange): void {
    responseHeaders.push(...(this.login?.deps.cookies.clear() ?? []));
  }

  /**
   * The session of a request, as its store has it, whether or not it was revoked; undefined for none.
   *
   * @throws {Problem} `permission-denied` for the page of a stranger; `identity-unavailable`.
   */
  async find(exchange: Exchange): Promise<FoundSession | undefined> {
    const value = this.login?.deps.cookies.read(exchange.request);
    if (this.login === undefined || value === undefined) return undefined;
    refuseForeignPage(exchange.request, this.#origins);
    try {
      const session = await this.login.deps.store.read(value);
      return session === undefined || this.#isOver(this.login, session) ? undefined : { value, session };
    } catch (error) {
      throw unavailable(RETRY_AFTER_MS, error);
    }
  }

  /** Whose a session is. */
  principalOf(session: Session): Principal {
    return sessionPrincipal(session, this.#terms as SessionTerms);
  }

  async #check(login: Login, value: string, exchange: Exchange): Promise<Principal> {
    const { cookies, clock } = login.deps;
    let found = await this.#read(login, value);
    if (found === undefined || this.#isOver(login, found.session)) {
      this.#live.delete(value);
      exchange.responseHeaders.push(...cookies.clear());
      throw found === undefined ? refused('The session is none, or has ended.') : expired();
    }
    if (clock() >= found.session.refreshAt) found = await this.#fresh(login, found, exchange);
    found = await this.#used(login, found);
    this.#write(login, found, value, exchange);
    // Fails closed: the tokens that are known to be good are over, and nobody can say so of those that came since.
    if (found.session.unchecked !== undefined && clock() >= found.session.expiresAt)
      throw unavailable(RETRY_AFTER_MS);
    return this.#remember(login, found).principal;
  }

  async #read(login: Login, value: string): Promise<FoundSession | undefined> {
    try {
      const session = await login.deps.store.read(value);
      return session && { value, session };
    } catch (error) {
      // Fails open for who is known, as long as the tokens live: whether he is revoked is known elsewhere.
      const known = this.#live.peek(value);
      // Fails closed for who has not been seen for so long that he may have ended.
      if (known !== undefined && login.deps.clock() < known.seenAt + login.deps.options.session.idle)
        return { value, session: known.session };
      throw unavailable(RETRY_AFTER_MS, error);
    }
  }

  async #fresh(login: Login, found: FoundSession, exchange: Exchange): Promise<FoundSession> {
    const { session, value } = found;
    const isAlive = login.deps.clock() < session.expiresAt;
    if (session.refreshToken === undefined) {
      if (isAlive) return found;
      throw this.#ended(login, value, exchange);
    }
    const renewal = await this.#renewal?.renew(value, session);
    if (renewal?.kind === 'renewed') return renewal;
    if (renewal?.kind === 'ended') {
      if (renewal.refusal !== undefined && !this.#told.has(renewal)) {
        this.#told.add(renewal);
        const who = this.principalOf(session);
        this.#audit?.record(refusedRefresh(exchange, { session, who, refusal: renewal.refusal }));
      }
      throw this.#ended(login, value, exchange);
    }
    // Fails open as long as the tokens live: a provider that is down ends no session.
    if (isAlive) return found;
    throw unavailable(RETRY_AFTER_MS);
  }

  #ended(login: Login, value: string, exchange: Exchange): Problem {
    this.#live.delete(value);
    exchange.responseHeaders.push(...login.deps.cookies.clear());
    return expired();
  }

  /** Notes that somebody uses it, at most every so often. */
  async #used(login: Login, { value, session }: FoundSession): Promise<FoundSession> {
    const { store, options, clock } = login.deps;
    const now = clock();
    const notedAt = this.#live.peek(value)?.notedAt ?? session.usedAt;
    if (now - notedAt < options.session.idle * USE_SHARE) return { value, session };
    const used = { ...session, usedAt: now };
    try {
      return { value: await store.use(value, used), session: used };
    } catch {
      // Noted at the next look.
      return { value, session };
    }
  }

  #write(login: Login, { value }: FoundSession, before: string, { responseHeaders }: Exchange): void {
    if (value === before) return;
    const { cookies } = login.deps;
    try {
      responseHeaders.push(...cookies.write(value), 'cache-control', 'private, no-store');
    } catch (error) {
      if (!(error instanceof Problem && error.code === 'session-too-large')) throw error;
      // Its tokens are spent, and the new ones find no place: a log-in says what is wrong.
      this.#live.delete(before);
      responseHeaders.push(...cookies.clear());
      throw expired('The session no longer fits into its cookies.', error);
    }
  }

  #remember(login: Login, { value, session }: FoundSession): LiveSession {
    const now = login.deps.clock();
    const known = this.#live.peek(value);
    const principal =
      known?.session.idToken === session.idToken && known.session.accessToken === session.accessToken
        ? known.principal
        : sessionPrincipal(session, this.#terms as SessionTerms);
    const { idle, absolute } = login.deps.options.session;
    const due = session.refreshAt > now ? session.refreshAt : now + RETRY_AFTER_MS;
    const idleAt = login.deps.store.isShared ? Infinity : session.usedAt + idle;
    const ends = Math.min(session.expiresAt, session.createdAt + absolute, idleAt);
    const notedAt = Math.max(session.usedAt, known?.notedAt ?? 0);
    const live = {
      session,
      principal,
      notedAt,
      seenAt: now,
      checkAt: Math.min(now + RECHECK_MS, due, Math.max(ends, now)),
    };
    this.#live.set(value, live);
    return live;
  }

  #isOver(login: Login, { createdAt, usedAt }: Session): boolean {
    const { idle, absolute } = login.deps.options.session;
    const now = login.deps.clock();
    // What is shared ends where it is kept when nobody uses it: others may have used it since.
    return now >= createdAt + absolute || (!login.deps.store.isShared && now >= usedAt + idle);
  }
}

function expired(detail = 'The session has ended.', cause?: unknown): Problem {
  return new Problem('credentials-expired', { detail, cause });
}
