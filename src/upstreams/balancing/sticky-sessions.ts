import { cookieOf, setCookie, setCookieAt } from '../../exchange/cookie-field.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import type { Target } from '../target.ts';
import type { StickyOptions } from './balancing.schema.ts';
import { SessionCookies } from './session-cookie.ts';
import type { TargetPool } from './target-pool.ts';

const SAME_SITE = { strict: 'Strict', lax: 'Lax', none: 'None' } as const;

/** Keeps clients with the target that has answered them before, as long as that is available. */
export class StickySessions {
  /** Name of the cookie. It is between the client and the gateway: no target sees it. */
  readonly cookie: string;
  readonly #options: StickyOptions;
  readonly #cookies: SessionCookies;
  readonly #byMembers = new WeakMap<readonly Target[], ReadonlyMap<string, Target>>();

  /** @param secrets see {@link SessionCookies}. */
  constructor(upstream: string, options: StickyOptions, secrets: readonly string[]) {
    this.cookie = stickyCookieName(upstream, options);
    this.#options = options;
    this.#cookies = new SessionCookies(upstream, secrets);
  }

  /** Chooses the target that a client has been with, or another one, which it is told of; see {@link TargetPool.choose}. */
  choose(pool: TargetPool, exchange: Exchange, tried: readonly Target[]): Target | undefined {
    const now = Date.now();
    const session = this.#sessionOf(exchange, now);
    const known = session && this.#targetOf(pool, session.id);
    if (session !== undefined && known?.available === true && !tried.includes(known)) {
      const isOld = session.until * 1000 - now < this.#options.maxAge / 2;
      // An attempt that came between may have told of another target.
      if (isOld || setCookieAt(exchange.responseHeaders, this.cookie) >= 0) this.#tell(exchange, known, now);
      return known;
    }
    const chosen = pool.choose(exchange, tried);
    if (chosen !== undefined) this.#tell(exchange, chosen, now);
    return chosen;
  }

  /** The target that a client has been with and would be sent to now; it is told nothing. */
  peek(pool: TargetPool, exchange: Exchange): Target | undefined {
    const session = this.#sessionOf(exchange, Date.now());
    const known = session && this.#targetOf(pool, session.id);
    return known?.available === true ? known : undefined;
  }

  #sessionOf(exchange: Exchange, now: number): ReturnType<SessionCookies['read']> {
    const value = cookieOf(exchange.request.headers.cookie, this.cookie);
    return value === undefined ? undefined : this.#cookies.read(value, now);
  }

  #targetOf({ members }: TargetPool, id: string): Target | undefined {
    let targets = this.#byMembers.get(members);
    if (targets === undefined) {
      targets = new Map(
        members.flatMap((one) => this.#cookies.idsOf(one.address).map((each) => [each, one] as const)),
      );
      this.#byMembers.set(members, targets);
    }
    return targets.get(id);
  }

  #tell(exchange: Exchange, target: Target, now: number): void {
    const [id = ''] = this.#cookies.idsOf(target.address);
    const value = this.#cookies.sign(id, now + this.#options.maxAge);
    setCookie(exchange.responseHeaders, this.#written(value, exchange.scheme));
  }

  /** RFC 6265 section 4.1. */
  #written(value: string, scheme: 'http' | 'https'): string {
    const { maxAge, path, sameSite, secure, httpOnly } = this.#options;
    const isSecure = secure === 'auto' ? scheme === 'https' : secure;
    const attributes = `Path=${path}; Max-Age=${Math.floor(maxAge / 1000)}; SameSite=${SAME_SITE[sameSite]}`;
    return `${this.cookie}=${value}; ${attributes}${httpOnly ? '; HttpOnly' : ''}${isSecure ? '; Secure' : ''}`;
  }
}

/** What the cookie of an upstream is called. */
export function stickyCookieName(upstream: string, { cookie }: Pick<StickyOptions, 'cookie'>): string {
  // A name of an upstream may have characters that the name of a cookie may not.
  return cookie ?? `sticky-${upstream.replace(/[^\w.-]/g, '_')}`;
}
