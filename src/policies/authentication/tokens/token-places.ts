import type { IncomingMessage } from 'node:http';
import type { Exchange } from '../../../exchange/exchange.ts';
import { isLiftedToken } from '../../../exchange/lifted-token.ts';
import { Problem } from '../../../problems/problem.ts';
import { authorizationOf, soleCookie, soleHeader } from '../credential-header.ts';
import type { TokenPlacesOptions } from './token-places.schema.ts';
import { refused } from '../verifier.ts';

/** Methods that change nothing (RFC 9110 section 9.2.1). */
const SAFE_METHODS: ReadonlySet<string | undefined> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** Finds the bearer token of a request. */
export class TokenPlaces {
  readonly #options: TokenPlacesOptions;
  /** Whether it does not matter whether a token was a field or a subprotocol. */
  readonly #takesBoth: boolean;
  /** The scheme of tokens with a proof, where those are taken. */
  readonly #proved: 'dpop' | undefined;

  constructor(options: TokenPlacesOptions) {
    this.#options = options;
    this.#takesBoth = options.header && options.webSocket;
    this.#proved = typeof options.dpop === 'string' ? undefined : 'dpop';
  }

  /**
   * Returns the token; undefined for none. A field goes before a cookie, which a browser adds by itself.
   *
   * @throws {Problem} `credentials-invalid` for one that is too long, malformed, or there twice; `permission-denied` for one in a
   * cookie that the page of a stranger may have sent.
   */
  find({ request }: Exchange): string | undefined {
    const given = authorizationOf(request, 'bearer', this.#proved);
    const token =
      given !== undefined && (this.#takesBoth || this.#takes(request)) ? given : this.#ofCookie(request);
    if (token !== undefined && token.length > this.#options.maxSize) throw refused('The token is too large.');
    return token;
  }

  #takes(request: IncomingMessage): boolean {
    return isLiftedToken(request) ? this.#options.webSocket : this.#options.header;
  }

  #ofCookie(request: IncomingMessage): string | undefined {
    const { cookie } = this.#options;
    if (cookie === undefined) return undefined;
    const token = soleCookie(request.headers.cookie, cookie.name);
    if (token !== undefined && mayChange(request)) requireOrigin(request, cookie.origins);
    return token;
  }
}

// A socket is asked for by GET, and says then what it likes.
function mayChange({ method, headers }: IncomingMessage): boolean {
  return !SAFE_METHODS.has(method) || headers.upgrade !== undefined;
}

function requireOrigin(request: IncomingMessage, origins: readonly string[]): void {
  const origin = soleHeader(request, 'origin');
  // Fails closed: browsers name the origin of whatever may change something, and `null` is nobody's.
  if (origin !== undefined && origins.includes(origin)) return;
  throw new Problem('permission-denied', {
    detail: 'With a cookie, only pages of certain origins may change something or open a socket.',
    by: 'identity.tokens.cookie.origins',
  });
}
