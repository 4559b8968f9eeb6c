import type { Exchange } from '../../../exchange/exchange.ts';
import type { Principal } from '../../../exchange/principal.ts';
import type { PresentedCertificates } from '../client-certificates/presented-certificates.ts';
import { refused } from '../verifier.ts';
import { provesCertificate } from './certificate.ts';
import { confirmationOf } from './confirmation.ts';

/** What tokens have to be presented with. */
export interface PossessionRules {
  /** What becomes of tokens that are bound to a certificate. */
  readonly certificateBound: 'verify' | 'ignore';
  /** Finds the certificate of a request. */
  readonly certificates: PresentedCertificates;
}

/** The one text for all that is wrong with how a token is presented: a thief need not learn what it takes. */
const REFUSAL = 'The token is not presented as it has to be.';

/**
 * Sees to it that whoever presents a token that is bound to something proves that he has it. A token that is bound is never
 * taken as one that is not, also where nobody has thought of that (fails closed).
 */
export class Possession {
  readonly #rules: PossessionRules;

  constructor(rules: PossessionRules) {
    this.#rules = rules;
  }

  /** Looks at who has been verified. @throws {Problem} `credentials-invalid`. */
  check(exchange: Exchange, principal: Principal): void {
    const bound = confirmationOf(principal);
    if (bound === undefined) return;
    const { jkt, x5t } = bound;
    // Nobody verifies proofs of keys here, and other ways to be bound are not known.
    if (jkt !== undefined || x5t === undefined) throw refused(REFUSAL);
    const { certificateBound, certificates } = this.#rules;
    if (certificateBound === 'ignore') return;
    if (!provesCertificate(exchange, x5t, certificates)) throw refused(REFUSAL);
  }
}
