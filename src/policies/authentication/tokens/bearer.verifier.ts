import type { Exchange } from '../../../exchange/exchange.ts';
import type { Principal } from '../../../exchange/principal.ts';
import type { Problem } from '../../../problems/problem.ts';
import type { IdentityOptions } from '../identity.schema.ts';
import { UNKNOWN, type CredentialVerifier, type RouteCredentials } from '../verifier.ts';
import { issuerOfToken } from './compact-token.ts';
import { TokenChallenges } from './token-challenges.ts';
import { TokenPlaces } from './token-places.ts';

/** Who can tell whose a token is. */
export interface TokenSource {
  readonly scheme: 'jwt' | 'introspection';
  readonly configured: boolean;
  /** Returns the caller when the token was verified a moment ago. */
  known(token: string): Principal | undefined;
  /**
   * Verifies a token.
   *
   * @throws {Problem} `credentials-invalid`, `credentials-expired` or `identity-unavailable`.
   */
  check(token: string): Principal | Promise<Principal>;
}

/** Whether a token is for another scheme of the route. */
type Leaves = (token: string) => boolean;

const DOT = '.';

/**
 * Verifies tokens that callers bear (RFC 6750), whoever can tell whose they are. Where a route takes both schemes, a signed token
 * of a configured issuer is checked by its signature, and any other one is introspected: whatever order they are listed in.
 */
export class BearerVerifier implements CredentialVerifier {
  readonly scheme: TokenSource['scheme'];
  readonly #source: TokenSource;
  readonly #options: IdentityOptions;
  readonly #places: TokenPlaces;
  readonly #challenges: TokenChallenges;
  readonly #leaves: Leaves | undefined;

  constructor(source: TokenSource, options: IdentityOptions, leaves?: Leaves, isProofNeeded?: boolean) {
    this.scheme = source.scheme;
    this.#source = source;
    this.#options = options;
    this.#places = new TokenPlaces(options.tokens);
    this.#challenges = new TokenChallenges(options, isProofNeeded);
    this.#leaves = leaves;
  }

  get configured(): boolean {
    return this.#source.configured;
  }

  onRoute({ schemes, dpop }: RouteCredentials): CredentialVerifier {
    const isWithOther = schemes.includes('jwt') && schemes.includes('introspection');
    if (!isWithOther && dpop === undefined) return this;
    const leaves = isWithOther ? this.#leaving() : undefined;
    return new BearerVerifier(this.#source, this.#options, leaves, dpop === 'require');
  }

  challenge(refusal?: Problem, exchange?: Exchange): readonly string[] {
    return this.#challenges.of(refusal, exchange);
  }

  verify(exchange: Exchange): Principal | Promise<Principal> | undefined {
    const token = this.#places.find(exchange);
    if (token === undefined) return undefined;
    const leaves = this.#leaves;
    // A token that cannot be signed is not worth a digest.
    if (leaves !== undefined && !token.includes(DOT) && leaves(token)) return undefined;
    const known = this.#source.known(token);
    if (known !== undefined) return known;
    return leaves?.(token) === true ? undefined : this.#source.check(token);
  }

  known(exchange: Exchange): Principal | typeof UNKNOWN | undefined {
    const token = this.#places.find(exchange);
    if (token === undefined) return undefined;
    const known = this.#source.known(token);
    if (known !== undefined) return known;
    return this.#leaves?.(token) === true ? undefined : UNKNOWN;
  }

  #leaving(): Leaves {
    const issuers = new Set(this.#options.issuers.map(({ issuer }) => issuer));
    const isSigned: Leaves = (token) => issuers.has(issuerOfToken(token) ?? '');
    return this.scheme === 'introspection' ? isSigned : (token) => !isSigned(token);
  }
}
