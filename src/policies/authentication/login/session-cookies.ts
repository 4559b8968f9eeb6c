import type { IncomingMessage } from 'node:http';
import { Problem } from '../../../problems/problem.ts';
import { refused } from '../verifier.ts';
import { liftedCookies } from './lifted-cookies.ts';

/** Name and value of a cookie have 4096 bytes (RFC 6265bis section 5.6); the rest is for the name. */
const MOST_PER_COOKIE = 3900;
/** Two of them fill half of a head of 16 KiB. */
const MOST_COOKIES = 2;
const GONE = 'Max-Age=0';

/** The cookies of log-in and session: their names, and how they are set. */
export class SessionCookies {
  /** Name of the session's cookie; the names of the others begin with it. */
  readonly name: string;
  readonly #attributes: string;

  /** @param isSecure whether browsers come by https; without it there is no prefix, which they would refuse. */
  constructor(name: string, isSecure: boolean) {
    this.name = isSecure ? `__Host-Http-${name}` : name;
    this.#attributes = `Path=/; HttpOnly${isSecure ? '; Secure' : ''}`;
  }

  /**
   * The value of the session's cookies; undefined for none.
   *
   * @throws {Problem} `credentials-invalid` for one that is there twice.
   */
  read(request: IncomingMessage): string | undefined {
    const lifted = liftedCookies(request);
    const first = lifted?.get(this.name);
    if (lifted === undefined || first === undefined || first === '') return undefined;
    let value = '';
    for (let index = 0; index < MOST_COOKIES; index += 1) {
      const part = lifted.get(this.#part(index));
      if (part === null) throw refused('The cookie of the session is there more than once.');
      value += part ?? '';
    }
    return value;
  }

  /** The fields that set the session's cookies. @throws {Problem} `session-too-large` for what does not fit. */
  write(value: string): readonly string[] {
    if (value.length > MOST_PER_COOKIE * MOST_COOKIES) throw new Problem('session-too-large');
    return this.#each((index) => {
      const part = value.slice(index * MOST_PER_COOKIE, (index + 1) * MOST_PER_COOKIE);
      return part === '' ? `; ${GONE}` : part;
    });
  }

  /** The fields that remove them. */
  clear(): readonly string[] {
    return this.#each(() => `; ${GONE}`);
  }

  /** The field that sets the cookie of one log-in; without a value the one that removes it. */
  ofLogin(key: string, value: string | undefined, forS: number): readonly string[] {
    const rest = value === undefined ? `; ${GONE}` : `${value}; Max-Age=${forS}`;
    // Lax: the provider, another site, sends the browser back with it.
    return ['set-cookie', `${this.loginName(key)}=${rest}; ${this.#attributes}; SameSite=Lax`];
  }

  /** Name of the cookie of one log-in. */
  loginName(key: string): string {
    return `${this.name}-login-${key}`;
  }

  #each(valueOf: (index: number) => string): string[] {
    const cookies: string[] = [];
    for (let index = 0; index < MOST_COOKIES; index += 1)
      cookies.push(
        'set-cookie',
        `${this.#part(index)}=${valueOf(index)}; ${this.#attributes}; SameSite=Strict`,
      );
    return cookies;
  }

  #part(index: number): string {
    return index === 0 ? this.name : `${this.name}.${index}`;
  }
}
