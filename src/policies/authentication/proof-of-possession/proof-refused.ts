import { Problem } from '../../../problems/problem.ts';

/** A proof of possession that was refused; its challenge names the error (RFC 9449 sections 7.1 and 9). */
export class ProofRefused extends Problem {
  readonly error: 'invalid_dpop_proof' | 'use_dpop_nonce';

  /**
   * @param detail one sentence of ours without quotes.
   * @param nonce what the next proof has to have; only asked for with this.
   */
  constructor(detail: string, nonce?: string) {
    super('credentials-invalid', {
      detail,
      ...(nonce === undefined ? {} : { headers: { 'dpop-nonce': nonce } }),
    });
    this.error = nonce === undefined ? 'invalid_dpop_proof' : 'use_dpop_nonce';
  }
}
