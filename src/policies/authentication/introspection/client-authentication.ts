import { createPrivateKey, randomUUID, type KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';
import { readSecret } from '../../../config/secrets.ts';
import { IdentityFault, secretAt } from '../identity-fault.ts';
import type { Clock } from '../verifier.ts';
import type { IntrospectionOptions } from './introspection.schema.ts';

/** What a request says of who asks: a field, or members of its form. */
export interface ShownClient {
  readonly authorization?: string;
  readonly form: Readonly<Record<string, string>>;
}

/** Shows the authorization server who asks. */
export interface ClientAuthentication {
  /** Of each request anew. */
  show(): ShownClient | Promise<ShownClient>;
}

/** The secret of a client, as it was found. */
export interface ClientSecret {
  readonly kind: 'secret' | 'key';
  readonly text: string;
}

const ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const ASSERTION_LIFE_S = 60;
const CURVES: Readonly<Record<string, string>> = {
  prime256v1: 'ES256',
  secp384r1: 'ES384',
  secp521r1: 'ES512',
};
const MIN_RSA_BITS = 2048;

/**
 * Finds the secret of the client where the configuration says.
 *
 * @throws {IdentityFault} naming the key and the fix, when it is not there.
 */
export function clientSecretOf(
  options: IntrospectionOptions,
  environment: Readonly<Record<string, string | undefined>>,
): ClientSecret {
  const { clientSecretEnv, clientSecretFile, privateKeyEnv, privateKeyFile } = options;
  const kind = (privateKeyEnv ?? privateKeyFile) === undefined ? 'secret' : 'key';
  const [variable, file] = [clientSecretEnv ?? privateKeyEnv, clientSecretFile ?? privateKeyFile];
  const key = `${kind === 'key' ? 'privateKey' : 'clientSecret'}${file === undefined ? 'Env' : 'File'}`;
  const text = secretAt(['introspection', key], () => readSecret({ variable, file, environment }));
  return { kind, text };
}

/**
 * Makes what shows who asks.
 *
 * @param audience whom signed assertions are for.
 * @throws {IdentityFault} for a private key that nothing can be signed with.
 */
export function clientAuthenticationOf(
  options: IntrospectionOptions,
  { kind, text }: ClientSecret,
  audience: string,
  clock: Clock = Date.now,
): ClientAuthentication {
  const { clientId, clientAuthentication } = options;
  if (kind === 'key') return new SignedAssertions(options, text, audience, clock);
  const shown: ShownClient =
    clientAuthentication === 'client_secret_post'
      ? { form: { client_id: clientId, client_secret: text } }
      : { authorization: basic(clientId, text), form: {} };
  return { show: () => shown };
}

/** Both are encoded like members of a form first (RFC 6749 section 2.3.1). */
function basic(id: string, secret: string): string {
  const encoded = [id, secret].map((one) => new URLSearchParams({ '': one }).toString().slice(1)).join(':');
  return `Basic ${Buffer.from(encoded).toString('base64')}`;
}

/** `private_key_jwt` (RFC 7523 section 2.2): one assertion for each request, because servers take none twice. */
class SignedAssertions implements ClientAuthentication {
  readonly #clientId: string;
  readonly #header: { readonly alg: string; readonly kid?: string };
  readonly #key: KeyObject;
  readonly #audience: string;
  readonly #clock: Clock;

  constructor(options: IntrospectionOptions, pem: string, audience: string, clock: Clock) {
    const { clientId, keyId } = options;
    this.#clientId = clientId;
    const [key, alg] = signingKeyOf(
      pem,
      options.privateKeyFile === undefined ? 'privateKeyEnv' : 'privateKeyFile',
    );
    this.#key = key;
    this.#header = { alg, ...(keyId === undefined ? {} : { kid: keyId }) };
    this.#audience = audience;
    this.#clock = clock;
  }

  async show(): Promise<ShownClient> {
    const now = Math.floor(this.#clock() / 1000);
    const assertion = await new SignJWT({ jti: randomUUID() })
      .setProtectedHeader(this.#header)
      .setIssuer(this.#clientId)
      .setSubject(this.#clientId)
      .setAudience(this.#audience)
      .setIssuedAt(now)
      .setExpirationTime(now + ASSERTION_LIFE_S)
      .sign(this.#key);
    return {
      form: {
        client_id: this.#clientId,
        client_assertion_type: ASSERTION,
        client_assertion: assertion,
      },
    };
  }
}

function signingKeyOf(pem: string, at: string): [key: KeyObject, algorithm: string] {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    // Not what the error says: that could quote the key.
    throw fault(at, 'expected a private key as PEM without a passphrase');
  }
  const { namedCurve = '', modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
  const type = key.asymmetricKeyType;
  const algorithm =
    type === 'rsa' && modulusLength >= MIN_RSA_BITS
      ? 'RS256'
      : type === 'ed25519'
        ? 'EdDSA'
        : type === 'ec'
          ? CURVES[namedCurve]
          : undefined;
  if (algorithm === undefined)
    throw fault(at, 'expected a key of RSA with 2048 bits or more, of P-256, P-384 or P-521, or of Ed25519');
  return [key, algorithm];
}

function fault(key: string, fix: string): IdentityFault {
  return new IdentityFault(['introspection', key], fix);
}
