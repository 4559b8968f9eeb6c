import { createHash } from 'node:crypto';
import type { PublishedKey, SigningKey } from './signing-key.ts';

/** The public keys that tokens are verified with, ready to be sent. */
export interface KeySetDocument {
  /** A key set (RFC 7517 section 5). */
  readonly body: Buffer;
  /** A strong validator, equal for equal keys in every replica. */
  readonly etag: string;
  /** How long it may be kept, in seconds: every key is in it for longer before it signs. */
  readonly maxAgeS: number;
}

/** The keys that the gateway signs with, and has signed with. */
export interface KeyRing {
  /** Differs for rings that sign with other keys. */
  readonly id: string;
  /** The key that signs now; undefined as long as none is there. */
  current(): SigningKey | undefined;
  document(): KeySetDocument;
  /** Settles once there is a key, or it is known that there is none for now. */
  ready(): Promise<void>;
  /** Keeps it at work until as many {@link release}. */
  hold(): void;
  release(): void;
}

/** The longest that a key set may be kept, in seconds. */
export const MAX_AGE_S = 300;

/** Makes the document of some keys. */
export function keySetDocument(keys: readonly PublishedKey[], maxAgeS: number): KeySetDocument {
  const body = Buffer.from(JSON.stringify({ keys }));
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"`;
  return { body, etag, maxAgeS };
}

/** Keys of files: the first one signs, all of them are published. Their owner rotates them. */
export class FixedKeys implements KeyRing {
  readonly id: string;
  readonly #first: SigningKey;
  readonly #document: KeySetDocument;

  constructor(first: SigningKey, published: readonly PublishedKey[]) {
    this.#first = first;
    this.#document = keySetDocument(published, MAX_AGE_S);
    this.id = `files ${this.#document.etag} ${first.published.kid}`;
  }

  current(): SigningKey {
    return this.#first;
  }

  document(): KeySetDocument {
    return this.#document;
  }

  ready(): Promise<void> {
    return Promise.resolve();
  }

  hold(): void {}

  release(): void {}
}
