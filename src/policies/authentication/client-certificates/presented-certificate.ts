import type { X509Certificate } from 'node:crypto';
import { certificateNames, type CertificateNames } from './certificate-names.ts';

/** A certificate that somebody has proved to be his own: to us, or to a proxy that we trust. */
export interface PresentedCertificate {
  /** SHA-256 of it, as lower-case hex; undefined where a proxy does not say. */
  readonly fingerprint: string | undefined;
  /** The same as `x5t#S256` (RFC 8705 section 3.1). */
  readonly x5t: string | undefined;
  /** Whom it is for; undefined where that cannot be told for sure. */
  readonly names: CertificateNames | undefined;
  /** Since when it is valid, in ms since the epoch. */
  readonly fromMs: number;
  /** Until when it is, in ms since the epoch; `Infinity` where a proxy does not say, and NaN for never. */
  readonly untilMs: number;
}

/** Reads a certificate, once. @param fingerprint its SHA-256, where that is known. */
export function presented(x509: X509Certificate, fingerprint = fingerprintOf(x509)): PresentedCertificate {
  return Object.freeze({
    fingerprint,
    x5t: x5tOf(fingerprint),
    names: certificateNames(x509),
    fromMs: Date.parse(x509.validFrom),
    untilMs: Date.parse(x509.validTo),
  });
}

/** A fingerprint in hex as `x5t#S256`. */
export function x5tOf(fingerprint: string): string {
  return Buffer.from(fingerprint, 'hex').toString('base64url');
}

function fingerprintOf({ fingerprint256 }: X509Certificate): string {
  return fingerprint256.replaceAll(':', '').toLowerCase();
}
