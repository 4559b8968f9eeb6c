import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';
import { createHash, randomUUID } from 'node:crypto';

/** A key of a client, for proofs of possession (RFC 9449). */
export interface ProofKey {
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
  readonly privateJwk: JWK;
  /** What tokens that are bound to it say. */
  readonly jkt: string;
}

/** What a proof is for, and what is odd about it; members that are undefined are left out. */
export interface ProofSpec {
  readonly htm?: string;
  readonly htu: string;
  readonly token?: string;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly header?: Readonly<Record<string, unknown>>;
}

/** Makes a key. */
export async function createProofKey(algorithm = 'ES256'): Promise<ProofKey> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
  const [jwk, privateJwk] = await Promise.all([exportJWK(publicKey), exportJWK(privateKey)]);
  return { privateKey, jwk, privateJwk, jkt: await calculateJwkThumbprint(jwk, 'sha256') };
}

/** Makes a proof that holds once and now, unless its claims say otherwise. */
export function proofOf(
  key: ProofKey,
  { htm = 'GET', htu, token, claims, header }: ProofSpec,
): Promise<string> {
  const ath = token === undefined ? undefined : createHash('sha256').update(token).digest('base64url');
  const usual = { jti: randomUUID(), htm, htu, iat: Math.floor(Date.now() / 1000), ath };
  return new SignJWT({ ...usual, ...claims })
    .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk: key.jwk, ...header })
    .sign(key.privateKey);
}
