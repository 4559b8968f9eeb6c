import { createHmac, timingSafeEqual } from 'node:crypto';
import { cookieOf } from '../exchange/cookie-field.ts';
import type { Exchange } from '../exchange/exchange.ts';

const MAX_AGE_SECONDS = 30 * 24 * 3600;
const PLACES = 1e9;
const SIGNATURE_LENGTH = 22;

/** The cookie that tells where a client stands that has no name: its bucket, not its side, and signed. */
export class CanaryCookie {
  readonly name: string;
  readonly #secret: string;
  readonly #rollout: string;

  constructor(route: string, rollout: string, secret: string) {
    this.name = `canary-${route.replace(/[^\w.-]/g, '_')}`;
    this.#secret = secret;
    this.#rollout = rollout;
  }

  /** The bucket that a client has; undefined when it has none, or none that was given out here. */
  read(exchange: Exchange): number | undefined {
    const value = cookieOf(exchange.request.headers.cookie, this.name);
    const [digits = '', signature = ''] = value?.split('.') ?? [];
    if (!/^\d{1,10}$/.test(digits) || signature.length !== SIGNATURE_LENGTH) return undefined;
    const expected = Buffer.from(this.#sign(digits));
    const given = Buffer.from(signature);
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
    return Number(digits) / PLACES;
  }

  /** Gives a bucket out with the answer. */
  give({ responseHeaders, scheme }: Exchange, bucket: number): void {
    const digits = String(Math.floor(bucket * PLACES));
    const secure = scheme === 'https' ? '; Secure' : '';
    responseHeaders.push(
      'set-cookie',
      `${this.name}=${digits}.${this.#sign(digits)}; Path=/; Max-Age=${MAX_AGE_SECONDS}; SameSite=Lax; HttpOnly${secure}`,
    );
  }

  #sign(digits: string): string {
    const mac = createHmac('sha256', this.#secret).update(`canary\n${this.#rollout}\n${digits}`);
    return mac.digest('base64url').slice(0, SIGNATURE_LENGTH);
  }
}
