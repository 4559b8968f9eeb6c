import type { Exchange } from '../../../exchange/exchange.ts';
import type { Principal } from '../../../exchange/principal.ts';
import { Problem } from '../../../problems/problem.ts';
import { REALM, refused, type Clock, type CredentialVerifier } from '../verifier.ts';
import type { CertificateHolders } from './certificate-holders.ts';
import type { PresentedCertificate } from './presented-certificate.ts';
import type { PresentedCertificates } from './presented-certificates.ts';

/** What certificates are checked by. */
export interface CertificateVerifierDeps {
  readonly certificates: PresentedCertificates;
  /** Undefined where nothing says whom certificates stand for. */
  readonly holders: CertificateHolders | undefined;
  readonly clock?: Clock | undefined;
}

/** Verifies that a certificate of a client stands for somebody. That the client has it was proved before. */
export class CertificateVerifier implements CredentialVerifier {
  readonly scheme = 'mtls';
  readonly #certificates: PresentedCertificates;
  readonly #holders: CertificateHolders | undefined;
  readonly #clock: Clock;
  /** Who holds what, nobody included: found out once for each connection, and for each field. */
  readonly #known = new WeakMap<PresentedCertificate, Principal | typeof NOBODY>();

  constructor({ certificates, holders, clock = Date.now }: CertificateVerifierDeps) {
    this.#certificates = certificates;
    this.#holders = holders;
    this.#clock = clock;
  }

  get configured(): boolean {
    return this.#holders !== undefined;
  }

  // No scheme is registered for certificates, and a 401 has to have one (RFC 9110 section 11.6.1); clients pass over names that
  // they do not know, and people can read it.
  challenge(refusal?: Problem): string {
    const plain = `ClientCertificate realm="${REALM}"`;
    return refusal === undefined
      ? plain
      : `${plain}, error="invalid_certificate", error_description="${refusal.message}"`;
  }

  verify(exchange: Exchange): Principal | undefined {
    const certificate = this.#holders && this.#certificates.of(exchange);
    if (certificate === undefined) return undefined;
    // Again with each request: a connection may be older than the end of its certificate. Fails closed for a date that is none.
    const now = this.#clock();
    if (!(now < certificate.untilMs))
      throw new Problem('credentials-expired', { detail: 'The certificate has expired.' });
    if (!(now >= certificate.fromMs)) throw refused('The certificate is not valid yet.');
    let holder = this.#known.get(certificate);
    if (holder === undefined) {
      holder = this.#holders?.holder(certificate) ?? NOBODY;
      this.#known.set(certificate, holder);
    }
    // Why is not the caller's to know: no name, several, or one of somebody else.
    if (holder === NOBODY) throw refused('The certificate is of nobody who is known here.');
    return holder;
  }
}

const NOBODY = Symbol('nobody');
