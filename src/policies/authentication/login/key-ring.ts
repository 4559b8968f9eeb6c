import { createCipheriv, createDecipheriv, hash, hkdfSync, randomBytes } from 'node:crypto';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
const NAME_LENGTH = 6;

interface NamedKey {
  readonly name: string;
  readonly secret: Buffer;
}

/** What something is sealed for; what is sealed for one thing is not opened as another. */
export interface SealOptions {
  readonly purpose: string;
  /** What has to be known besides the keys to open it, such as what only a cookie holds. */
  readonly bound?: string;
}

/** Seals and opens texts and bytes (AES-256-GCM): the first key seals, all of them open, so that keys can be rotated. */
export class KeyRing {
  readonly #keys: readonly NamedKey[];

  /**
   * @param secrets at least one; keys are derived of them (HKDF, RFC 5869).
   * @param use what the keys are for: of the same secrets, others for each use.
   */
  constructor(secrets: readonly string[], use = 'gatehouse login') {
    this.#keys = secrets.map((secret) => {
      const key = derived(Buffer.from(secret), '', use);
      return { name: hash('sha256', key, 'base64url').slice(0, NAME_LENGTH), secret: key };
    });
  }

  /** Names the keys, and tells nothing of them. */
  get name(): string {
    return this.#keys.map(({ name }) => name).join('.');
  }

  /** Seals a text; the result is a value that a cookie can have. */
  seal(text: string, options: SealOptions): string {
    const sealed = this.sealBytes(Buffer.from(text), options);
    return `${sealed.toString('latin1', 0, NAME_LENGTH)}.${sealed.toString('base64url', NAME_LENGTH)}`;
  }

  /** Seals bytes; the result begins with the name of the key. */
  sealBytes(bytes: Buffer, { purpose, bound }: SealOptions): Buffer {
    const [key] = this.#keys;
    if (key === undefined) throw new Error('there is no key');
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, keyFor(key, bound), nonce).setAAD(Buffer.from(purpose));
    const name = Buffer.from(key.name, 'latin1');
    return Buffer.concat([name, nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
  }

  /** Opens what was sealed for the same; undefined for anything else, whatever is wrong with it. */
  open(sealed: string, options: SealOptions): string | undefined {
    if (sealed[NAME_LENGTH] !== '.') return undefined;
    const name = Buffer.from(sealed.slice(0, NAME_LENGTH), 'latin1');
    const bytes = Buffer.from(sealed.slice(NAME_LENGTH + 1), 'base64url');
    return this.openBytes(Buffer.concat([name, bytes]), options)?.toString();
  }

  /** The same of bytes. */
  openBytes(sealed: Buffer, { purpose, bound }: SealOptions): Buffer | undefined {
    const name = sealed.toString('latin1', 0, NAME_LENGTH);
    const key = this.#keys.find((one) => one.name === name);
    if (key === undefined) return undefined;
    const bytes = sealed.subarray(NAME_LENGTH);
    if (bytes.length < NONCE_BYTES + TAG_BYTES) return undefined;
    const decipher = createDecipheriv(CIPHER, keyFor(key, bound), bytes.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(Buffer.from(purpose)).setAuthTag(bytes.subarray(-TAG_BYTES));
    try {
      return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
    } catch {
      return undefined;
    }
  }
}

function keyFor({ secret }: NamedKey, bound: string | undefined): Buffer {
  return bound === undefined ? secret : derived(secret, bound, 'bound');
}

function derived(secret: Buffer, salt: string, info: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, salt, info, KEY_BYTES));
}
