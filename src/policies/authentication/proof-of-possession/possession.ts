import type { IncomingMessage } from 'node:http';
import type { Exchange } from '../../../exchange/exchange.ts';
import type { Principal } from '../../../exchange/principal.ts';
import type { PresentedCertificates } from '../client-certificates/presented-certificates.ts';
import { refused } from '../verifier.ts';
import { provesCertificate } from './certificate.ts';
import { confirmationOf, type Confirmation } from './confirmation.ts';
import type { DpopProofs } from './dpop.ts';

/** What tokens have to be presented with. */
export interface PossessionRules {
  /** What becomes of tokens that are bound to a key; see {@link DpopOptions}. */
  readonly mode: 'off' | 'ignore' | 'accept' | 'require';
  /** Verifies proofs; undefined where none are. */
  readonly proofs: DpopProofs | undefined;
  /** What becomes of tokens that are bound to a certificate. Default: they are verified. */
  readonly certificateBound?: 'verify' | 'ignore';
  /** Finds the certificate of a request. Default: there is none. */
  readonly certificates?: PresentedCertificates;
}

/** The one text for all that is wrong with how a token is presented: a thief need not learn what it takes. */
const REFUSAL = 'The token is not presented as it has to be.';
const LOWER_D = 0x64;

/** Whether a request presents its token by DPoP (RFC 9449 section 7.1). */
export function isByDpop({ headers: { authorization } }: IncomingMessage): boolean {
  return (
    authorization !== undefined &&
    (authorization.charCodeAt(0) | 0x20) === LOWER_D &&
    /^dpop(?: |$)/i.test(authorization)
  );
}

/**
 * Sees to it that whoever presents a token that is bound to something proves that he has it. A token that is bound is never
 * taken as one that is not, also where nobody has thought of that (fails closed).
 */
export class Possession {
  readonly #rules: PossessionRules;

  constructor(rules: PossessionRules) {
    this.#rules = rules;
  }

  /** The same as {@link check} for all credentials that a principal came with. */
  checkAll(exchange: Exchange, principal: Principal): Promise<unknown> | undefined {
    const proof = this.check(exchange, principal);
    const { also } = principal;
    if (also === undefined) return proof;
    const others = also.map((one) => this.check(exchange, one)).filter((one) => one !== undefined);
    return others.length === 0 ? proof : Promise.all([proof, ...others]);
  }

  /**
   * Looks at who has been verified; undefined when there is nothing to wait for.
   *
   * @throws {Problem} `credentials-invalid`; `identity-unavailable` when it cannot be known whether a proof was seen before.
   */
  check(exchange: Exchange, principal: Principal): Promise<void> | undefined {
    const { mode, proofs } = this.#rules;
    const bound = confirmationOf(principal);
    if (bound === undefined && proofs === undefined) return undefined;
    if (bound !== undefined) this.#checkCertificate(exchange, bound);
    const { scheme } = principal;
    const isToken = scheme === 'jwt' || scheme === 'introspection';
    const isProved = isToken && proofs !== undefined && isByDpop(exchange.request);
    const jkt = bound?.jkt;
    if (jkt === undefined) {
      // The scheme says that there is a key, and none is named: a proof by any key would do.
      if (isProved || (isToken && mode === 'require')) throw refused(REFUSAL);
      return undefined;
    }
    if (mode === 'ignore') return undefined;
    if (!isProved || proofs === undefined) throw refused(REFUSAL);
    return proofs.verify(exchange, principal, jkt);
  }

  #checkCertificate(exchange: Exchange, { jkt, x5t }: Confirmation): void {
    if (x5t === undefined) {
      // Other ways to be bound are not known.
      if (jkt === undefined) throw refused(REFUSAL);
      return;
    }
    const { certificateBound, certificates } = this.#rules;
    if (certificateBound === 'ignore') return;
    if (certificates === undefined || !provesCertificate(exchange, x5t, certificates)) throw refused(REFUSAL);
  }
}
