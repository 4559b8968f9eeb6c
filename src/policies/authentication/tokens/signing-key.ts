import { createPublicKey, createSecretKey, hash, type KeyObject, type webcrypto } from 'node:crypto';
import type { JwtAlgorithm } from '../identity.schema.ts';

/** A key that signatures are checked with. */
export interface SigningKey {
  readonly kid: string | undefined;
  readonly object: KeyObject;
  /** The only algorithms that the key may be used with. */
  readonly algorithms: readonly JwtAlgorithm[];
  /** Equal for equal keys under the same name and for the same algorithms only (compare RFC 7638). */
  readonly thumbprint: string;
  /** Set once the issuer does not publish the key any more: what it verified is not believed any longer. */
  withdrawn: boolean;
}

/** Finds the key of a token. */
export interface KeySource {
  /**
   * Returns the key with this `kid` that fits the algorithm; without a `kid`, the only key that fits.
   * Undefined when there is none.
   *
   * @throws {Problem} `identity-unavailable` when it cannot tell.
   */
  find(
    kid: string | undefined,
    algorithm: JwtAlgorithm,
  ): SigningKey | undefined | Promise<SigningKey | undefined>;
  /** Starts work in the background. */
  start(): void;
  /** Ends it. */
  stop(): void;
}

/** One key that never changes. It has no name, so whatever `kid` a token gives is right. */
export class FixedKey implements KeySource {
  readonly #key: SigningKey;

  constructor(object: KeyObject) {
    this.#key = describe(undefined, object, algorithmsOf(object));
  }

  /** Makes it of PEM text. */
  static ofPem(pem: string): FixedKey {
    return new FixedKey(createPublicKey(pem));
  }

  /** Makes it of a shared secret. */
  static ofSecret(secret: string): FixedKey {
    return new FixedKey(createSecretKey(secret, 'utf8'));
  }

  /** The algorithms that the key is strong enough for. */
  get algorithms(): readonly JwtAlgorithm[] {
    return this.#key.algorithms;
  }

  find(_kid: string | undefined, algorithm: JwtAlgorithm): SigningKey | undefined {
    return this.#key.algorithms.includes(algorithm) ? this.#key : undefined;
  }

  start(): void {
    // Nothing to fetch.
  }

  stop(): void {
    // Nothing to end.
  }
}

/**
 * Reads a key of a key set (RFC 7517 section 4). Returns undefined for a key that is not for checking
 * signatures or that this version cannot use: such a key is ignored, not an error, because issuers publish
 * keys for other purposes beside it.
 */
export function readJwk(jwk: Readonly<Record<string, unknown>>): SigningKey | undefined {
  const { kty, use, key_ops: operations } = jwk;
  // A published shared secret is no secret, and taking it as one would be key confusion.
  if (kty !== 'RSA' && kty !== 'EC') return undefined;
  if (use !== undefined && use !== 'sig') return undefined;
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify')))
    return undefined;
  try {
    const object = createPublicKey({ key: jwk as webcrypto.JsonWebKey, format: 'jwk' });
    const algorithms = algorithmsOf(object).filter((one) => jwk['alg'] === undefined || jwk['alg'] === one);
    const kid = typeof jwk['kid'] === 'string' ? jwk['kid'] : undefined;
    return algorithms.length === 0 ? undefined : describe(kid, object, algorithms);
  } catch {
    return undefined;
  }
}

function describe(
  kid: string | undefined,
  object: KeyObject,
  algorithms: readonly JwtAlgorithm[],
): SigningKey {
  // Of the key as it was understood, not as it was spelled: a member in another order makes no other key.
  const bytes =
    object.type === 'secret' ? '' : object.export({ type: 'spki', format: 'der' }).toString('base64');
  const thumbprint = hash('sha256', JSON.stringify([kid ?? null, algorithms, bytes]), 'base64url');
  return { kid, object, algorithms, thumbprint, withdrawn: false };
}

const CURVE_ALGORITHMS: Readonly<Record<string, JwtAlgorithm>> = {
  prime256v1: 'ES256',
  secp384r1: 'ES384',
  secp521r1: 'ES512',
};
const PSS_ALGORITHMS: readonly JwtAlgorithm[] = ['PS256', 'PS384', 'PS512'];
const RSA_ALGORITHMS: readonly JwtAlgorithm[] = ['RS256', 'RS384', 'RS512', ...PSS_ALGORITHMS];

/** RSA keys below 2048 bits and secrets shorter than the hash are too weak (RFC 7518 sections 3.2 and 3.3). */
const MIN_RSA_BITS = 2048;
const SECRET_BYTES: readonly [JwtAlgorithm, number][] = [['HS256', 32], ['HS384', 48], ['HS512', 64]]; // prettier-ignore

function algorithmsOf(key: KeyObject): readonly JwtAlgorithm[] {
  if (key.type === 'secret') {
    const bytes = key.symmetricKeySize ?? 0;
    return SECRET_BYTES.filter(([, min]) => bytes >= min).map(([algorithm]) => algorithm);
  }
  const details = key.asymmetricKeyDetails;
  if (key.asymmetricKeyType === 'ec') {
    const algorithm = CURVE_ALGORITHMS[details?.namedCurve ?? ''];
    return algorithm === undefined ? [] : [algorithm];
  }
  if ((details?.modulusLength ?? 0) < MIN_RSA_BITS) return [];
  if (key.asymmetricKeyType === 'rsa') return RSA_ALGORITHMS;
  return key.asymmetricKeyType === 'rsa-pss' ? PSS_ALGORITHMS : [];
}
