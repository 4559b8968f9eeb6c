import { hash } from 'node:crypto';

/** What a revocation can name: one token, all tokens of a session, or the tokens of a subject that were issued before a time. */
export const REVOCATION_KINDS = ['jti', 'sid', 'sub'] as const;
/** One of {@link REVOCATION_KINDS}. */
export type RevocationKind = (typeof REVOCATION_KINDS)[number];

/**
 * 96 bits of a SHA-256: what is remembered of a name, so that a million of them are small and none can be read back. Who could
 * choose names freely would need 2^96 tries to have another one revoked in place of his, or 2^76 for any of a million.
 */
export interface Digest {
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

const BYTES = 12;

/** Digests what a revocation names. @param issuer whose sessions and subjects they are; the empty text for tokens. */
export function digestOf(kind: RevocationKind, issuer: string, value: string): Digest {
  return digestAt(hash('sha256', `${kind}\n${issuer.length}\n${issuer}\n${value}`, 'buffer'));
}

/** Reads a digest that {@link digestText} wrote; undefined for anything else. */
export function readDigest(text: string): Digest | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.length === BYTES ? digestAt(bytes) : undefined;
}

/** A digest as 16 characters. */
export function digestText({ a, b, c }: Digest): string {
  const bytes = Buffer.allocUnsafe(BYTES);
  bytes.writeInt32BE(a, 0);
  bytes.writeInt32BE(b, 4);
  bytes.writeInt32BE(c, 8);
  return bytes.toString('base64url');
}

function digestAt(bytes: Buffer): Digest {
  return { a: bytes.readInt32BE(0), b: bytes.readInt32BE(4), c: bytes.readInt32BE(8) };
}

/** What is known of a verified credential, whatever its scheme, that a revocation can name. */
export interface Revocable {
  readonly issuer: string | undefined;
  /** The `jti` of a token. */
  readonly token: string | undefined;
  /** The `sid` of a token or of a session. */
  readonly session: string | undefined;
  /** The `sub`, as the issuer says it; the client of a token that has none. */
  readonly subject: string | undefined;
  /** The `iat`, in seconds since the epoch. Fails closed: without one, it was issued before any time. */
  readonly issuedAt: number | undefined;
}

/**
 * By what a principal is found among the revocations: digested once, when its credential is verified, because that costs more
 * than all look-ups of a request together.
 */
export interface RevocationMarks {
  readonly token: Digest | undefined;
  readonly session: Digest | undefined;
  readonly subject: Digest | undefined;
  /** On the clock of {@link secondsOf}. */
  readonly issuedAt: number;
}

/** Makes the marks of a verified credential; every scheme that names tokens, sessions or subjects gives its principals some. */
export function marksOf({ issuer = '', token, session, subject, issuedAt }: Revocable): RevocationMarks {
  return {
    token: token === undefined ? undefined : digestOf('jti', '', token),
    session: session === undefined ? undefined : digestOf('sid', issuer, session),
    subject: subject === undefined ? undefined : digestOf('sub', issuer, subject),
    issuedAt: issuedAt === undefined ? -Infinity : secondsOf(issuedAt * 1000),
  };
}

/** The year in which the clock of revocations begins: its seconds fit into 31 bits until 2088. */
const BEGINNING_S = Date.UTC(2020, 0) / 1000;

/** Seconds on the clock of revocations, with their fractions. @param ms since the epoch. */
export function secondsOf(ms: number): number {
  return ms / 1000 - BEGINNING_S;
}

/** The time in ms since the epoch of seconds on the clock of revocations. */
export function msOf(seconds: number): number {
  return (seconds + BEGINNING_S) * 1000;
}
