import { randomUUID } from 'node:crypto';
import type { Principal } from '../../exchange/principal.ts';
import type { KeyRing } from '../../signing/key-ring.ts';
import { signedToken, type SigningKey } from '../../signing/signing-key.ts';
import type { TokenOptions } from './identity.schema.ts';

/** What the tokens are for, so that nobody takes one for an access token; the gateway itself accepts none. */
export const TOKEN_TYPE = 'gatehouse-identity+jwt';

/** The part of its life after which a token is not given out any more. */
const USED = 2 / 3;

interface HeldToken {
  readonly text: string;
  /** In ms since the epoch. */
  readonly until: number;
  readonly key: SigningKey;
}

/** Who signs the tokens of one upstream, and for whom they are. */
export interface TokenPlace {
  readonly upstream: string;
  readonly issuer: string;
  readonly ring: KeyRing;
  readonly clock?: (() => number) | undefined;
}

/** The signed tokens for one upstream: one for each caller, until it has not much longer to live. */
export class IdentityTokens {
  readonly #options: TokenOptions;
  readonly #place: TokenPlace;
  readonly #clock: () => number;
  /** Ends with the callers: nothing here makes them stay. */
  readonly #held = new WeakMap<object, HeldToken>();

  constructor(options: TokenOptions, place: TokenPlace) {
    this.#options = options;
    this.#place = place;
    this.#clock = place.clock ?? Date.now;
  }

  /** Whether there is a key to sign with. */
  get isReady(): boolean {
    return this.#place.ring.current() !== undefined;
  }

  /** Whether requests of this caller carry a token. */
  isFor(principal: Principal | undefined): boolean {
    return principal !== undefined || this.#options.anonymous;
  }

  /** Lower-case name of the field that tokens are in. */
  get header(): string {
    return this.#options.header;
  }

  /** The token of a caller; undefined without a key, and for nobody in particular unless that was asked for. */
  tokenFor(principal: Principal | undefined): string | undefined {
    if (!this.isFor(principal)) return undefined;
    const who = principal ?? NOBODY;
    const held = this.#held.get(who);
    const now = this.#clock();
    const key = this.#place.ring.current();
    if (held !== undefined && now < held.until && held.key === key) return held.text;
    if (key === undefined) return undefined;
    const { lifetime } = this.#options;
    const text = signedToken(key, TOKEN_TYPE, this.#claims(principal, now));
    this.#held.set(who, { text, until: now + lifetime * USED, key });
    return text;
  }

  /** What is said of a caller. A client application is never taken for a user of the same name: `sub` is users' alone. */
  claimsOf(principal: Principal): object {
    const { subject: sub, clientId, scopes, issuer } = principal;
    const told = { sub, client_id: clientId, idp: issuer };
    const more = this.#options.claims.map((name) =>
      name === 'scopes'
        ? ['scope', scopes.length === 0 ? undefined : scopes.join(' ')]
        : [name, principal[name]],
    );
    return { ...told, ...(Object.fromEntries(more) as object) };
  }

  #claims(principal: Principal | undefined, now: number): object {
    const { audience, lifetime, jti } = this.#options;
    const { upstream, issuer } = this.#place;
    const iat = Math.floor(now / 1000);
    return {
      iss: issuer,
      aud: audience ?? upstream,
      iat,
      exp: iat + Math.floor(lifetime / 1000),
      ...(jti ? { jti: randomUUID() } : {}),
      ...(principal === undefined ? {} : this.claimsOf(principal)),
    };
  }
}

const NOBODY = Object.freeze({});
