import { refused } from '../verifier.ts';

/** What a token says about itself; nothing of it is verified. */
export interface UnverifiedToken {
  readonly text: string;
  readonly algorithm: string;
  readonly kid: string | undefined;
  readonly issuer: string;
  /** Its `typ`, as {@link typOf} spells it; undefined for none. */
  readonly typ: string | undefined;
}

const COMPACT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;
const APPLICATION = 'application/';
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads the parts of a signed token that choose its key (RFC 7515 section 7.1). An unsigned token, or one
 * with header parameters that must be understood (`crit`, section 4.1.11), is refused.
 *
 * @throws {Problem} `credentials-invalid`.
 */
export function readToken(text: string): UnverifiedToken {
  if (!COMPACT.test(text)) throw refused('The token is malformed.');
  const [head = '', body = ''] = text.split('.', 2);
  const header = jsonObject(head);
  const claims = jsonObject(body);
  if ('crit' in header) throw refused('The token has header parameters that are not supported.');
  const { alg, kid, typ } = header;
  const isText = (value: unknown): value is string | undefined =>
    value === undefined || typeof value === 'string';
  if (typeof alg !== 'string' || !isText(kid) || !isText(typ)) {
    throw refused('The token is malformed.');
  }
  if (typeof claims['iss'] !== 'string') throw refused('The token names no issuer.');
  return {
    text,
    algorithm: alg,
    kid,
    issuer: claims['iss'],
    typ: typ === undefined ? undefined : typOf(typ),
  };
}

/** The issuer that a token names, which nobody has verified; undefined for a token that is none of this kind. */
export function issuerOfToken(text: string): string | undefined {
  if (!COMPACT.test(text)) return undefined;
  try {
    const { iss } = jsonObject(text.split('.', 2)[1] ?? '');
    return typeof iss === 'string' ? iss : undefined;
  } catch {
    return undefined;
  }
}

/** A `typ` as it is compared: in lower case, without `application/` where that may be left out (RFC 7515 section 4.1.9). */
export function typOf(typ: string): string {
  const lower = typ.toLowerCase();
  const short = lower.startsWith(APPLICATION) ? lower.slice(APPLICATION.length) : lower;
  return short.includes('/') ? lower : short;
}

function jsonObject(part: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(Buffer.from(part, 'base64url')));
  } catch (error) {
    throw refused('The token is malformed.', error);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw refused('The token is malformed.');
  return value as Record<string, unknown>;
}
