import type { Exchange } from '../../../exchange/exchange.ts';
import type { PresentedCertificates } from '../client-certificates/presented-certificates.ts';

/**
 * Whether a request comes with the certificate that its token is bound to (RFC 8705 section 3). Whom the certificate stands for
 * does not matter, nor whether it stands for anybody.
 *
 * @param x5t the `x5t#S256` of the token.
 * @throws {Problem} `credentials-invalid` for a field of a trusted proxy that cannot be read.
 */
export function provesCertificate(
  exchange: Exchange,
  x5t: string,
  certificates: PresentedCertificates,
): boolean {
  return certificates.of(exchange)?.x5t === x5t;
}
