import { createCipheriv, createDecipheriv, createPrivateKey, hkdfSync, randomBytes } from 'node:crypto';
import { signingKey, type SigningKey } from './signing-key.ts';

const IV_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
const CIPHER = 'aes-256-gcm';

/**
 * Encrypts private keys for a store that others may read, or write to: what was not sealed with the same secret for the same
 * place is no key.
 */
export class KeySeal {
  /** Names the secret without telling it: who has another one has other keys. */
  readonly id: string;
  readonly #key: Buffer;

  constructor(secret: string) {
    const derived = (purpose: string, length: number): Buffer =>
      Buffer.from(hkdfSync('sha256', secret, '', `gatehouse signing keys: ${purpose}`, length));
    this.#key = derived('seal', KEY_BYTES);
    this.id = derived('name', 9).toString('base64url');
  }

  /** @param place where it is kept; it cannot be opened as that of another place. */
  seal({ privateKey }: SigningKey, place: string): string {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(CIPHER, this.#key, iv).setAAD(Buffer.from(place));
    const body = cipher.update(privateKey.export({ format: 'der', type: 'pkcs8' }));
    return Buffer.concat([iv, body, cipher.final(), cipher.getAuthTag()]).toString('base64url');
  }

  /** @returns undefined for what was not sealed with this secret for this place. */
  open(text: string, place: string): SigningKey | undefined {
    const bytes = Buffer.from(text, 'base64url');
    if (bytes.length <= IV_BYTES + TAG_BYTES) return undefined;
    try {
      const decipher = createDecipheriv(CIPHER, this.#key, bytes.subarray(0, IV_BYTES))
        .setAAD(Buffer.from(place))
        .setAuthTag(bytes.subarray(-TAG_BYTES));
      const body = decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES));
      const der = Buffer.concat([body, decipher.final()]);
      return signingKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }));
    } catch {
      // Fails closed: somebody else may have written it.
      return undefined;
    }
  }
}
