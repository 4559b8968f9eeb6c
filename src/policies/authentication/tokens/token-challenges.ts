import type { Exchange } from '../../../exchange/exchange.ts';
import type { Problem } from '../../../problems/problem.ts';
import type { IdentityOptions } from '../identity.schema.ts';
import type { DpopOptions } from '../proof-of-possession/dpop.schema.ts';
import { isByDpop } from '../proof-of-possession/possession.ts';
import { ProofRefused } from '../proof-of-possession/proof-refused.ts';
import { metadataUrlFor } from '../resource-metadata.ts';
import { REALM } from '../verifier.ts';

/** What `WWW-Authenticate` says of tokens (RFC 6750 section 3, RFC 9449 section 7.1, RFC 9728 section 5.1). */
export class TokenChallenges {
  readonly #dpop: DpopOptions;
  readonly #resources: IdentityOptions['resources'];
  /** Whether tokens that are bound to nothing are taken too. */
  readonly #takesBearer: boolean;

  /** @param isProofNeeded whether this route takes no token without a proof. */
  constructor({ tokens, resources }: IdentityOptions, isProofNeeded = false) {
    this.#dpop = tokens.dpop;
    this.#resources = resources;
    this.#takesBearer = typeof tokens.dpop === 'string' || !(isProofNeeded || tokens.dpop.mode === 'require');
  }

  /** @param refusal why a token was refused; undefined when there was none. */
  of(refusal: Problem | undefined, exchange: Exchange | undefined): readonly string[] {
    const url = exchange && metadataUrlFor(this.#resources, exchange);
    const where = url === undefined ? '' : `, resource_metadata="${url}"`;
    const bearer = `Bearer realm="${REALM}"${where}`;
    if (typeof this.#dpop === 'string') return [bearer + errorOf(refusal)];
    const dpop = `DPoP realm="${REALM}"${where}, algs="${this.#dpop.algorithms.join(' ')}"`;
    if (!this.#takesBearer) return [dpop + errorOf(refusal)];
    // The error is of the scheme that was tried.
    const isProved = exchange !== undefined && isByDpop(exchange.request);
    return isProved ? [bearer, dpop + errorOf(refusal)] : [bearer + errorOf(refusal), dpop];
  }
}

function errorOf(refusal: Problem | undefined): string {
  if (refusal === undefined) return '';
  const error = refusal instanceof ProofRefused ? refusal.error : 'invalid_token';
  return `, error="${error}", error_description="${refusal.message}"`;
}
