import type { Scheme } from '../scheme.ts';
import { CertificateHolders } from './certificate-holders.ts';
import { CertificateVerifier } from './certificate.verifier.ts';

/** Certificates of clients, proved at the listener or at a trusted proxy. */
export const mtlsScheme: Scheme = {
  name: 'mtls',
  checkedAgainst: 'identity.clientCertificates',
  create({ clientCertificates, revocation }, { certificates, clock }) {
    const holders =
      clientCertificates && new CertificateHolders(clientCertificates, revocation !== undefined);
    return new CertificateVerifier({ certificates, holders, clock });
  },
};
