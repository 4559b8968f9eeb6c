import type { Principal } from '../../../exchange/principal.ts';
import { readToken, type UnverifiedToken } from './compact-token.ts';
import type { IdentityOptions, IssuerOptions, JwtAlgorithm } from '../identity.schema.ts';
import { JwtStrategy } from './jwt.strategy.ts';
import type { KeySource } from './signing-key.ts';
import { TokenCache } from './token-cache.ts';
import type { TokenSource } from './bearer.verifier.ts';
import { refused, type Clock } from '../verifier.ts';

/** Makes the key source of an issuer. */
export type KeySourceFactory = (issuer: IssuerOptions) => KeySource;

interface TrustedIssuer {
  readonly algorithms: readonly JwtAlgorithm[];
  readonly keys: KeySource;
  readonly strategy: JwtStrategy;
  /** The types that a token has to have; undefined for those that say nothing else. */
  readonly typ: readonly string[] | undefined;
  /** How far the clock of the issuer may be off, in ms. */
  readonly clockSkew: number;
}

/** What access tokens call themselves (RFC 9068 section 2.1), besides nothing. */
const USUAL_TYPES: readonly string[] = ['jwt', 'at+jwt'];

/** Verifies signed tokens of the configured issuers. */
export class JwtVerifier implements TokenSource {
  readonly scheme = 'jwt';
  readonly #issuers = new Map<string, TrustedIssuer>();
  readonly #cache: TokenCache;
  readonly #clock: Clock;
  /** The longest life of a token, in ms. */
  readonly #longest: number;

  constructor(options: IdentityOptions, keySourceOf: KeySourceFactory, clock: Clock = Date.now) {
    this.#cache = new TokenCache(options.tokenCache, clock);
    this.#clock = clock;
    this.#longest = options.revocation?.longest ?? Infinity;
    for (const issuer of options.issuers) {
      this.#issuers.set(issuer.issuer, {
        algorithms: issuer.algorithms,
        keys: keySourceOf(issuer),
        strategy: new JwtStrategy(issuer, clock, options.revocation !== undefined),
        typ: issuer.typ,
        clockSkew: issuer.clockSkew,
      });
    }
  }

  get configured(): boolean {
    return this.#issuers.size > 0;
  }

  known(text: string): Principal | undefined {
    return this.#cache.get(text);
  }

  /** Checks a token, wherever it comes from. Rejects with a problem. */
  async check(text: string): Promise<Principal> {
    const token = readToken(text);
    // The name is not verified yet: it only chooses whose key and rules the token has to satisfy.
    const issuer = this.#issuers.get(token.issuer);
    if (issuer === undefined) throw refused('The token comes from an issuer that is not trusted.');
    refuseOtherTypes(token, issuer.typ);
    const algorithm = issuer.algorithms.find((one) => one === token.algorithm);
    if (algorithm === undefined) throw refused('The token is signed with an algorithm that is not accepted.');
    const key = await issuer.keys.find(token.kid, algorithm);
    if (key === undefined) throw refused('The token is signed with an unknown key.');
    const principal = await issuer.strategy.verify({ text, key: key.object });
    this.#refuseOutliving(principal, issuer);
    this.#cache.set(text, principal, key, Number(principal.claims['exp']) * 1000);
    return principal;
  }

  // Fails closed: a revocation would be forgotten before the token expires. Without `iat` nobody knows how long it has lived.
  #refuseOutliving({ claims }: Principal, { clockSkew }: TrustedIssuer): void {
    const { iat, exp } = claims;
    const beganMs = typeof iat === 'number' ? iat * 1000 : this.#clock();
    if (Number(exp) * 1000 - beganMs > this.#longest + clockSkew)
      throw refused('The token lives longer than revocations are kept.');
  }
}

// A token that is signed for something else, such as a logout token, is none to call with (RFC 8725 section 3.11).
function refuseOtherTypes({ typ }: UnverifiedToken, expected: readonly string[] | undefined): void {
  const fits = typ === undefined ? expected === undefined : (expected ?? USUAL_TYPES).includes(typ);
  if (!fits) throw refused('The token is not of the type that is accepted.');
}
