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

/** Seals and opens texts (AES-256-GCM): the first key seals, all of them open, so that keys can be rotated. */
export class KeyRing {
  readonly #keys: readonly NamedKey[];

  /** @param secrets at least one; keys are derived of them (HKDF, RFC 5869). */
  constructor(secrets: readonly string[]) {
    this.#keys = secrets.map((secret) => {
      const key = derived(Buffer.from(secret), '', 'gatehouse login');
      return { name: hash('sha256', key, 'base64url').slice(0, NAME_LENGTH), secret: key };
    });
  }

  /** Names the keys, and tells nothing of them. */
  get name(): string {
    return this.#keys.map(({ name }) => name).join('.');
  }

  /** Seals a text; the result is a value that a cookie can have. */
  seal(text: string, { purpose, bound }: SealOptions): string {
    const [key] = this.#keys;
    if (key === undefined) throw new Error('there is no key');
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, keyFor(key, bound), nonce).setAAD(Buffer.from(purpose));
    const sealed = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return `${key.name}.${sealed.toString('base64url')}`;
  }

  /** Opens what was sealed for the same; undefined for anything else, whatever is wrong with it. */
  open(sealed: string, { purpose, bound }: SealOptions): string | undefined {
    const name = sealed.slice(0, NAME_LENGTH);
    const key = this.#keys.find((one) => one.name === name);
    if (key === undefined || sealed[NAME_LENGTH] !== '.') return undefined;
    const bytes = Buffer.from(sealed.slice(NAME_LENGTH + 1), 'base64url');
    if (bytes.length < NONCE_BYTES + TAG_BYTES) return undefined;
    const decipher = createDecipheriv(CIPHER, keyFor(key, bound), bytes.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(Buffer.from(purpose)).setAuthTag(bytes.subarray(-TAG_BYTES));
    try {
      return (
        decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8')
      );
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
