import { constants, createPublicKey, hash, verify, type KeyObject, type webcrypto } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { PROOF_ALGORITHMS } from './dpop.schema.ts';

/** A signature algorithm of proofs. */
export type ProofAlgorithm = (typeof PROOF_ALGORITHMS)[number];

interface Suite {
  /** The kind of its keys, with the curve where there is one. */
  readonly key: string;
  /** Null where the algorithm says it itself. */
  readonly digest: string | null;
  readonly options?:
    | { readonly dsaEncoding: 'ieee-p1363' }
    | { readonly padding: number; readonly saltLength?: number };
}

const ecdsa = (curve: string, digest: string): Suite => ({
  key: `EC ${curve}`,
  digest,
  options: { dsaEncoding: 'ieee-p1363' },
});
const pkcs1 = (digest: string): Suite => ({
  key: 'RSA',
  digest,
  options: { padding: constants.RSA_PKCS1_PADDING },
});
const pss = (digest: string): Suite => ({
  key: 'RSA',
  digest,
  options: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST },
});

/** RFC 7518 section 3, RFC 8037 section 3.1. A key fits an algorithm of its own curve only. */
const SUITES: Readonly<Record<ProofAlgorithm, Suite>> = {
  ES256: ecdsa('P-256', 'sha256'),
  ES384: ecdsa('P-384', 'sha384'),
  ES512: ecdsa('P-521', 'sha512'),
  EdDSA: { key: 'OKP Ed25519', digest: null },
  Ed25519: { key: 'OKP Ed25519', digest: null },
  PS256: pss('sha256'),
  PS384: pss('sha384'),
  PS512: pss('sha512'),
  RS256: pkcs1('sha256'),
  RS384: pkcs1('sha384'),
  RS512: pkcs1('sha512'),
};

/** The members that make a key, in the order of the alphabet (RFC 7638 section 3.2, RFC 8037 section 2). */
const MEMBERS: ReadonlyMap<unknown, readonly string[]> = new Map([
  ['EC', ['crv', 'kty', 'x', 'y']],
  ['OKP', ['crv', 'kty', 'x']],
  ['RSA', ['e', 'kty', 'n']],
]);

/** How many keys are kept ready; making one takes as long as a verification. */
const MAX_KEYS = 1000;

/** The thumbprint of a public key (RFC 7638); undefined for one that lacks a member, or is of another kind. */
export function thumbprintOf(jwk: Readonly<Record<string, unknown>>): string | undefined {
  const names = MEMBERS.get(jwk['kty']);
  if (names?.every((name) => typeof jwk[name] === 'string') !== true) return undefined;
  return hash(
    'sha256',
    JSON.stringify(Object.fromEntries(names.map((name) => [name, jwk[name]]))),
    'base64url',
  );
}

/** Verifies signatures of compact tokens (RFC 7515 section 5.2) by keys that came with them, of which it keeps the last ones ready. */
export class ProofSignatures {
  readonly #keys = new LRUCache<string, KeyObject>({ max: MAX_KEYS });

  /** @param thumbprint of the key: {@link thumbprintOf}. */
  holds(
    text: string,
    algorithm: ProofAlgorithm,
    jwk: Readonly<Record<string, unknown>>,
    thumbprint: string,
  ): boolean {
    const { key: kind, digest, options } = SUITES[algorithm];
    const { kty, crv } = jwk;
    if (kind !== (kty === 'RSA' ? 'RSA' : `${String(kty)} ${String(crv)}`)) return false;
    const key = this.#keyOf(jwk, thumbprint);
    if (key === undefined) return false;
    const end = text.lastIndexOf('.');
    const signature = Buffer.from(text.slice(end + 1), 'base64url');
    return verify(digest, Buffer.from(text.slice(0, end)), { key, ...options }, signature);
  }

  #keyOf(jwk: Readonly<Record<string, unknown>>, thumbprint: string): KeyObject | undefined {
    let key = this.#keys.get(thumbprint);
    if (key !== undefined) return key;
    // What is no part of the key says nothing here.
    const names = MEMBERS.get(jwk['kty']) ?? [];
    const members = Object.fromEntries(names.map((name) => [name, jwk[name]])) as webcrypto.JsonWebKey;
    try {
      key = createPublicKey({ key: members, format: 'jwk' });
    } catch {
      return undefined;
    }
    this.#keys.set(thumbprint, key);
    return key;
  }
}
