import type { Exchange } from '../../exchange/exchange.ts';
import type { Principal } from '../../exchange/principal.ts';
import { Problem } from '../../problems/problem.ts';
import { MAX_TOKEN_BYTES, readToken } from './compact-token.ts';
import { authorizationOf } from './credential-header.ts';
import type { IdentityOptions, IssuerOptions, JwtAlgorithm } from './identity.schema.ts';
import { JwtStrategy } from './jwt.strategy.ts';
import type { KeySource } from './signing-key.ts';
import { TokenCache } from './token-cache.ts';
import { REALM, refused, type Clock, type CredentialVerifier } from './verifier.ts';

/** Makes the key source of an issuer. */
export type KeySourceFactory = (issuer: IssuerOptions) => KeySource;

interface TrustedIssuer {
  readonly algorithms: readonly JwtAlgorithm[];
  readonly keys: KeySource;
  readonly strategy: JwtStrategy;
}

/** Verifies bearer tokens (RFC 6750) of the configured issuers. */
export class JwtVerifier implements CredentialVerifier {
  readonly scheme = 'jwt';
  readonly #issuers = new Map<string, TrustedIssuer>();
  readonly #cache: TokenCache;

  constructor(options: IdentityOptions, keySourceOf: KeySourceFactory, clock: Clock = Date.now) {
    this.#cache = new TokenCache(options.tokenCache, clock);
    for (const issuer of options.issuers) {
      this.#issuers.set(issuer.issuer, {
        algorithms: issuer.algorithms,
        keys: keySourceOf(issuer),
        strategy: new JwtStrategy(issuer, clock),
      });
    }
  }

  get configured(): boolean {
    return this.#issuers.size > 0;
  }

  challenge(refusal?: Problem): string {
    const plain = `Bearer realm="${REALM}"`;
    return refusal === undefined
      ? plain
      : `${plain}, error="invalid_token", error_description="${refusal.message}"`;
  }

  verify(exchange: Exchange): Principal | Promise<Principal> | undefined {
    const token = authorizationOf(exchange.request, 'bearer');
    if (token === undefined) return undefined;
    if (token.length > MAX_TOKEN_BYTES) throw refused('The token is too large.');
    return this.#cache.get(token) ?? this.#check(token);
  }

  async #check(text: string): Promise<Principal> {
    const token = readToken(text);
    // The name is not verified yet: it only chooses whose key and rules the token has to satisfy.
    const issuer = this.#issuers.get(token.issuer);
    if (issuer === undefined) throw refused('The token comes from an issuer that is not trusted.');
    const algorithm = issuer.algorithms.find((one) => one === token.algorithm);
    if (algorithm === undefined) throw refused('The token is signed with an algorithm that is not accepted.');
    const key = await issuer.keys.find(token.kid, algorithm);
    if (key === undefined) throw refused('The token is signed with an unknown key.');
    const principal = await issuer.strategy.verify({ text, key: key.object });
    this.#cache.set(text, principal, key, Number(principal.claims['exp']) * 1000);
    return principal;
  }
}
