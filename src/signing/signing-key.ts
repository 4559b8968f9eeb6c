import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  type KeyObject,
  type webcrypto,
} from 'node:crypto';

/** Algorithms that tokens are signed with (RFC 7518 section 3.4, RFC 8037). */
export const SIGNING_ALGORITHMS = ['ES256', 'EdDSA'] as const;

/** One of {@link SIGNING_ALGORITHMS}. */
export type SigningAlgorithm = (typeof SIGNING_ALGORITHMS)[number];

/** A public key as it is published (RFC 7517); made member by member, so that nothing private can be among them. */
export interface PublishedKey {
  readonly kty: 'EC' | 'OKP';
  readonly crv: 'P-256' | 'Ed25519';
  readonly x: string;
  readonly y?: string;
  readonly alg: SigningAlgorithm;
  readonly use: 'sig';
  /** The thumbprint of the key (RFC 7638). */
  readonly kid: string;
}

/** A key that signs. */
export interface SigningKey {
  readonly published: PublishedKey;
  readonly privateKey: KeyObject;
}

/** The public key of any key as it is published; undefined for one that none of the algorithms goes with. */
export function publishedKey(key: KeyObject): PublishedKey | undefined {
  const { kty, crv, x, y } = (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' });
  if (x === undefined) return undefined;
  if (kty === 'EC' && crv === 'P-256' && y !== undefined)
    return { kty, crv, x, y, alg: 'ES256', use: 'sig', kid: thumbprint({ crv, kty, x, y }) };
  if (kty === 'OKP' && crv === 'Ed25519')
    return { kty, crv, x, alg: 'EdDSA', use: 'sig', kid: thumbprint({ crv, kty, x }) };
  return undefined;
}

/** A private key that can sign; undefined for one that none of the algorithms goes with. */
export function signingKey(privateKey: KeyObject): SigningKey | undefined {
  const published = publishedKey(privateKey);
  return published && { published, privateKey };
}

/** A new key. */
export function generatedKey(algorithm: SigningAlgorithm): SigningKey {
  const { privateKey } =
    algorithm === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('ed25519');
  // Of these two kinds every key is one that can sign.
  return signingKey(privateKey) as SigningKey;
}

/**
 * Signs claims as a compact JWS (RFC 7515 section 7.1).
 *
 * @param typ says what the token is for, so that nobody takes it for another kind (RFC 8725 section 3.11).
 */
export function signedToken({ published, privateKey }: SigningKey, typ: string, claims: object): string {
  const { alg, kid } = published;
  const text = `${encoded({ alg, kid, typ })}.${encoded(claims)}`;
  const signature =
    alg === 'ES256'
      ? sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' })
      : sign(null, Buffer.from(text), privateKey);
  return `${text}.${signature.toString('base64url')}`;
}

/**
 * Reads keys from the text of a file: PEM, a JWK, or a key set.
 *
 * @throws {Error} for anything else; the message never quotes the text.
 */
export function readKeys(text: string): readonly KeyObject[] {
  try {
    if (!text.trimStart().startsWith('{')) return [keyOfPem(text)];
    const json = JSON.parse(text) as {
      readonly keys?: readonly webcrypto.JsonWebKey[];
    } & webcrypto.JsonWebKey;
    return (json.keys ?? [json]).map(keyOfJwk);
  } catch {
    // Not what the error says: that could quote the key.
    throw new Error('expected a key in PEM without a passphrase, a JWK, or a key set');
  }
}

function keyOfPem(text: string): KeyObject {
  return text.includes('PRIVATE KEY') ? createPrivateKey(text) : createPublicKey(text);
}

function keyOfJwk(key: webcrypto.JsonWebKey): KeyObject {
  return key.d === undefined
    ? createPublicKey({ key, format: 'jwk' })
    : createPrivateKey({ key, format: 'jwk' });
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

// RFC 7638 section 3: the members in this order, and no others.
function thumbprint(members: object): string {
  return createHash('sha256').update(JSON.stringify(members)).digest('base64url');
}
